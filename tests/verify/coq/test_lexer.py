"""Coq's comments nest and hold strings; a search for words would be fooled both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldenseal.coq.banned import banned
from goldenseal.coq.lexer import sentences
from goldenseal.errors import UsageError


def findings(text):
    return [(each.line, each.text.split("`")[1]) for each in banned(list(sentences(text)))]


def words(text):
    return [sentence.words for sentence in sentences(text)]


def test_a_sentence_ends_at_a_dot_before_white_space():
    assert words("Check Z.max. Check (1.5)%R.\nQed.") == [
        ("Check", "Z.max"),
        ("Check", "(", "1.5", ")", "%", "R"),
        ("Qed",),
    ]


def test_lines_are_counted_through_comments_and_strings():
    source = '(* one\n two *)\nCheck "a\nb".\nCheck c.\n'
    assert [sentence.line for sentence in sentences(source)] == [3, 5]


def test_a_comment_before_a_sentence_belongs_to_it():
    (first, second) = sentences("(** what *) Lemma a : True. (* in *) Proof (* inside *) I.")
    assert first.comments == ("(** what *)",)
    assert second.comments == ("(* in *)",)


@pytest.mark.parametrize(
    "text",
    [
        "(* Admitted *) Check I.",
        "(* a (* nested Axiom x : False. *) Parameter *) Check I.",
        'Check "Admitted. Axiom".',
        'Check "a doubled "" quote Admitted".',
        '(* a string "*) Admitted. " in a comment *) Check I.',
        "Check not_Admitted. Check Admitted'. Check my.Axiom.",
        "Section S. Variable x : nat. Hypothesis h : x = x. Context (y : nat). End S.",
    ],
)
def test_a_banned_word_that_says_nothing_is_not_flagged(text):
    assert findings(text) == []


@pytest.mark.parametrize(
    "word",
    [
        *("Admitted", "Axiom", "Axioms", "Parameter", "Parameters", "Conjecture", "Conjectures"),
        *("Variable", "Variables", "Hypothesis", "Hypotheses", "Context", "admit", "give_up"),
        *("Primitive", "Symbol", "Load", "Redirect", "Extraction", "bypass_check"),
    ],
)
def test_each_banned_word_is_flagged_with_its_line(word):
    assert findings(f"Check I.\n\n{word} x : False.") == [(3, word)]


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Unset Guard Checking.", "Guard Checking"),
        ("#[local] Unset Positivity Checking.", "Positivity Checking"),
        ("Unset (* a comment *) Universe\nChecking.", "Universe Checking"),
        ("#[bypass_check(guard)] Fixpoint f (n : nat) : False := f n.", "bypass_check"),
        ('Declare ML Module "x".', "Declare ML"),
        ("Declare Module M : T.", "Declare Module"),
        ('Add LoadPath "x".', "Add LoadPath"),
        ('Add Rec LoadPath "x".', "Add Rec"),
        ('Set Warnings "-all". Time Axiom x : False.', "Axiom"),
        ("Local Parameter x : False.", "Parameter"),
        ("Goal False. Proof. exact (ltac:(admit)).", "admit"),
        ("(* *) (* (* *) *) Axiom x : False.", "Axiom"),
        ('Check "(*". Axiom x : False. Check "*)".', "Axiom"),
    ],
)
def test_a_switch_or_a_disguise_is_flagged(text, phrase):
    assert [found for _, found in findings(text)] == [phrase]


@pytest.mark.parametrize(
    "text",
    [
        "Section S. End S. Variable x : False.",
        "Module M. Variable x : False. End M.",
        "Section S. Section T. End T. End S. Hypothesis h : False.",
        "Fail Section S. Context (x : False).",
    ],
)
def test_a_variable_outside_a_section_is_an_axiom(text):
    assert len(findings(text)) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Check I.\n(* (* *)", "<text>:2: the comment"),
        ('Check\n "x', "<text>:2: the string"),
        ('(* " *)', "<text>:1: the string"),
        ("Check I.\n\nCheck", "<text>:3: the sentence"),
    ],
)
def test_what_never_ends_is_an_error_with_its_line(text, said):
    with pytest.raises(UsageError, match="never ends") as error:
        list(sentences(text))
    assert str(error.value).startswith(said)


@given(st.text(alphabet='ab("*).\n '))
def test_any_text_is_lexed_or_refused(text):
    try:
        found = list(sentences(text))
    except UsageError:
        return
    assert all(sentence.tokens for sentence in found)
    assert [token.line for each in found for token in each.tokens] == sorted(
        token.line for each in found for token in each.tokens
    )


@given(st.recursive(st.just("Axiom x."), lambda inner: inner.map(lambda s: f"(* {s} *)")))
def test_only_the_depth_of_comments_decides(text):
    assert findings(text) == ([(1, "Axiom")] if text == "Axiom x." else [])
