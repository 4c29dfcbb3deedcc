"""SP-API's token buckets: so many calls at once, then so many a second, per application and selling partner."""

from dataclasses import dataclass


@dataclass(frozen=True)
class UsagePlan:
    """The documented default rate of an operation."""

    rate: float
    burst: int


@dataclass
class _Bucket:
    tokens: float
    filled_at: float


class Quotas:
    """Every bucket in use. A clock that jumps back takes nothing away."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, ...], _Bucket] = {}

    def spends(self, key: tuple[str, ...], plan: UsagePlan, *, at: float) -> bool:
        """Takes one token; False when the bucket is empty."""
        bucket = self._buckets.setdefault(key, _Bucket(tokens=float(plan.burst), filled_at=at))
        elapsed = max(0.0, at - bucket.filled_at)
        bucket.tokens = min(float(plan.burst), bucket.tokens + elapsed * plan.rate)
        bucket.filled_at = at
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
