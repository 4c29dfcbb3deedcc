"""What an answer looks like: its text, the one button that mends, another store to choose, and what the asker thinks of it.

Knows how things look; knows nothing of where they are said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.features import FeatureKey
from bot.i18n import Speaker
from bot.ports import Message, Person
from bot.services.answering import FIVE, Answer
from faq.facts import Button
from faq.library import Library
from handlers.blocks import Block, actions, button, context, fit, message, mrkdwn, option, plain, section

#: a mending button's face, and its action
_MENDING: Mapping[Button, tuple[str, str]] = {
    Button.GRANT_ORDERS: ("button.grant", "grant.start"),
    Button.GRANT_LISTING: ("button.grant", "grant.start"),
    Button.RENEW: ("button.renew_feature", "grant.start"),
    Button.NEW_LINK: ("button.new_link", "grant.start"),
    Button.CHECK: ("button.check", "grant.check"),
    Button.EDIT_STORE: ("button.edit", "store.do:edit"),
    Button.ENABLE_STORE: ("button.enable", "store.do:enable"),
}
_FEATURE_OF: Mapping[Button, FeatureKey] = {
    Button.GRANT_ORDERS: FeatureKey.ORDERS,
    Button.GRANT_LISTING: FeatureKey.LISTING,
}
#: Slack: a menu holds a hundred; a button's value 2000 characters
OPTIONS = 100
_QUESTION = 1900
#: of a question, on each of several buttons: together they must stay under what Slack lets us post
_REPEATED = 500


def bare(person: Person) -> Speaker:
    """The person's language, for places without markup."""
    return Speaker(person.locale, tz=person.tz)


def card(
    person: Person, answer: Answer, *, question: str = "", named: FeatureKey | None = None, share: str = ""
) -> Message:
    """The answer. `question` goes with *not helpful*, clean of anything personal; `share` is the thread it may be shared with."""
    say, faces = mrkdwn(person), bare(person)
    mend = mend_button(faces, answer)
    about = context(say.escaping(str)("faq.about_store", store=answer.about)) if answer.about else None
    first = [*([mend] if mend else []), *_other_store(faces, answer, named)]
    return message(
        section(answer.text),
        about,
        actions(*first) if first else None,
        actions(*_opinion(faces, answer, question), *_share(faces, answer.slug, share)),
    )


def asking_amazon(person: Person, slug: str, *, share: str = "") -> Message:
    """The answer follows in the DM; what everybody may read can be shared meanwhile."""
    rows = _share(bare(person), slug, share)
    return message(section(mrkdwn(person)("faq.asking_amazon")), actions(*rows) if rows else None)


def public_card(person: Person, answer: Answer, title: str) -> Message:
    """For everybody: nobody's stores, and a way to have one's own looked at, alone."""
    say, faces = mrkdwn(person), bare(person)
    return message(
        section(f"*{title}*\n{answer.text}"),
        context(say.escaping(str)("faq.shared_by", person=f"<@{person.user_id}>")),
        actions(button(faces("button.my_stores_too"), f"faq.show:{answer.slug}")),
    )


def menu(person: Person, library: Library) -> Message:
    """What `/faq` says when nothing was asked."""
    return offer(person, library, "faq.choose", FIVE)


def offer(
    person: Person,
    library: Library,
    key: str,
    slugs: Sequence[str],
    *,
    question: str = "",
    person_too: bool = False,
    about: str = "",
    none_of: str = "",
) -> Message:
    """Topics to choose from. `about` is the topic a person would be asked about; `none_of` adds a way to say that it is none."""
    faces = bare(person)
    buttons = [
        button(fit(library.article(slug, person.locale).short, 75), f"faq.show:{slug}", value=fit(question, _REPEATED))
        for slug in slugs
    ]
    if none_of:
        buttons.append(button(faces("button.none_of_these"), f"faq.none:{none_of}", value=fit(question, _REPEATED)))
    if person_too:
        buttons.append(button(faces("button.ask_person"), f"faq.person:{about}", value=carried("", question)))
    return message(section(mrkdwn(person)(key)), actions(*buttons))


def already(person: Person, slug: str) -> Message:
    """The same answer stands above."""
    faces = bare(person)
    return message(
        section(mrkdwn(person)("faq.already")),
        actions(button(faces("button.ask_person"), f"faq.person:{slug}", value=carried("", ""))),
    )


def not_helpful(person: Person, library: Library, slug: str, question: str) -> Message:
    """Related topics, and a person."""
    related = [one for one in library.article(slug, person.locale).related if one in library.slugs]
    return offer(person, library, "faq.noted", related[:3], question=question, person_too=True, about=slug)


def carried(store_id: str, question: str) -> str:
    """What *ask a person* takes to the desk: the store, and the question as it may be kept."""
    return f"{store_id}|{fit(question, _QUESTION)}" if question else store_id


def _opinion(faces: Speaker, answer: Answer, question: str) -> list[Block]:
    person = button(
        faces("button.ask_person"),
        f"faq.person:{answer.slug}",
        # a general answer's store is only where its button would act: the desk is not told of it
        value=carried("" if answer.about else answer.store_id, question),
        style="primary" if answer.button is Button.ASK_PERSON else "",
    )
    return [
        button(faces("button.helpful"), f"faq.helpful:{answer.slug}"),
        button(faces("button.not_helpful"), f"faq.unhelpful:{answer.slug}", value=fit(question, _QUESTION)),
        person,
    ]


def _share(faces: Speaker, slug: str, thread_ts: str) -> list[Block]:
    return [button(faces("button.share"), f"faq.share:{slug}", value=thread_ts)] if thread_ts else []


def _other_store(faces: Speaker, answer: Answer, named: FeatureKey | None) -> list[Block]:
    """A small menu of the asker's stores, the one in question chosen."""
    options = [option(fit(label, 75), store_id) for store_id, label in answer.choices[:OPTIONS]]
    if len(options) <= 1:
        return []
    element: Block = {
        "type": "static_select",
        "action_id": f"faq.store:{answer.slug}:{named.value if named else ''}",
        "placeholder": plain(faces("faq.other_store")),
        "options": options,
    }
    if chosen := next((one for one in options if one["value"] == answer.store_id), None):
        element["initial_option"] = chosen
    return [element]


def mend_button(faces: Speaker, answer: Answer) -> Block | None:
    """The one button that mends what was found; a person is asked for below."""
    if answer.button is Button.ASK_PERSON:
        return None
    if answer.button is Button.ADD_STORE:
        return button(faces("button.add_store"), "store.add", style="primary")
    if not answer.store_id:
        return button(faces("button.status"), "status.show")
    face, action = _MENDING[answer.button]
    feature = _FEATURE_OF.get(answer.button, answer.feature)
    words = faces(face, feature=faces(f"feature.{feature.value}.name"))
    action_id = f"{action}:{feature.value}" if action.startswith("grant.") else action
    return button(words, action_id, value=answer.store_id, style="primary")
