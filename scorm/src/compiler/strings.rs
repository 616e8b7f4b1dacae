//! What the built pages say, in each language.
//!
//! French uses no-break spaces: U+00A0 before `:` and inside « », U+202F before `;`, `!`, `?`.

use serde::Serialize;

use crate::source::Lang;

/// The strings the compiler writes into pages.
pub(super) struct PageStrings {
    pub(super) skip: &'static str,
    pub(super) lesson: &'static str,
    pub(super) test: &'static str,
    pub(super) of: &'static str,
    pub(super) about: &'static str,
    pub(super) minutes: &'static str,
    pub(super) minute: &'static str,
    pub(super) pages: &'static str,
    pub(super) quiz: &'static str,
    pub(super) question: &'static str,
    pub(super) several: &'static str,
    pub(super) choose: &'static str,
    pub(super) complete: &'static str,
    pub(super) missing_word: &'static str,
    pub(super) your_answer: &'static str,
    pub(super) your_number: &'static str,
    pub(super) match_each: &'static str,
    pub(super) yes: &'static str,
    pub(super) no: &'static str,
    pub(super) solution: &'static str,
    pub(super) submit_quiz: &'static str,
    pub(super) submit_test: &'static str,
    pub(super) retry_quiz: &'static str,
    pub(super) retry_test: &'static str,
    pub(super) quiz_intro: &'static str,
    pub(super) test_intro: &'static str,
    pub(super) test_questions: &'static str,
    pub(super) test_pass_mark: &'static str,
    pub(super) previous: &'static str,
    pub(super) next: &'static str,
    pub(super) next_lesson: &'static str,
    pub(super) glossary: &'static str,
    pub(super) new_window: &'static str,
    pub(super) table: &'static str,
    pub(super) callouts: [&'static str; 5],
    pub(super) no_script: &'static str,
}

/// The strings `course.js` says; `{n}`, `{total}` … are filled in there.
#[derive(Debug, Serialize)]
pub(super) struct RuntimeStrings {
    page: &'static str,
    right: &'static str,
    partly: &'static str,
    wrong: &'static str,
    unanswered: &'static str,
    missing: &'static str,
    submit_anyway: &'static str,
    quiz_score: &'static str,
    passed: &'static str,
    failed: &'static str,
    best: &'static str,
    lesson_done: &'static str,
    lesson_quiz_left: &'static str,
    test_done: &'static str,
    preview: &'static str,
    not_saved: &'static str,
    closed: &'static str,
    bad_number: &'static str,
}

pub(super) fn page(lang: Lang) -> &'static PageStrings {
    match lang {
        Lang::French => &FRENCH_PAGE,
        Lang::English => &ENGLISH_PAGE,
    }
}

pub(super) fn runtime(lang: Lang) -> &'static RuntimeStrings {
    match lang {
        Lang::French => &FRENCH_RUNTIME,
        Lang::English => &ENGLISH_RUNTIME,
    }
}

const FRENCH_PAGE: PageStrings = PageStrings {
    skip: "Aller au contenu",
    lesson: "Leçon",
    test: "Test final",
    of: "sur",
    about: "environ",
    minutes: "minutes",
    minute: "minute",
    pages: "Pages de la leçon",
    quiz: "Faites le point",
    question: "Question",
    several: "Plusieurs réponses sont possibles.",
    choose: "Choisir…",
    complete: "Complétez la phrase.",
    missing_word: "Mot manquant",
    your_answer: "Votre réponse",
    your_number: "Votre réponse (un nombre)",
    match_each: "Associez chaque élément à sa réponse.",
    yes: "Vrai",
    no: "Faux",
    solution: "Réponse attendue\u{a0}:",
    submit_quiz: "Vérifier mes réponses",
    submit_test: "Envoyer mes réponses",
    retry_quiz: "Refaire le quiz",
    retry_test: "Refaire le test",
    quiz_intro: "Ces questions sont là pour vous aider à retenir\u{a0}: elles ne comptent pas dans \
                 le résultat final.",
    test_intro: "Prenez votre temps. Vous pouvez refaire le test\u{a0}: votre meilleur résultat \
                 est conservé.",
    test_questions: "questions",
    test_pass_mark: "réussite à partir de",
    previous: "Précédent",
    next: "Suivant",
    next_lesson: "Leçon suivante",
    glossary: "Glossaire",
    new_window: "(nouvelle fenêtre)",
    table: "Tableau",
    callouts: ["À savoir", "Conseil", "À retenir", "Attention", "Prudence"],
    no_script: "Sans JavaScript, la leçon se lit en une seule page et la progression n’est pas \
                enregistrée.",
};

const ENGLISH_PAGE: PageStrings = PageStrings {
    skip: "Skip to content",
    lesson: "Lesson",
    test: "Final test",
    of: "of",
    about: "about",
    minutes: "minutes",
    minute: "minute",
    pages: "Pages of the lesson",
    quiz: "Check what you know",
    question: "Question",
    several: "More than one answer may be right.",
    choose: "Choose…",
    complete: "Complete the sentence.",
    missing_word: "Missing word",
    your_answer: "Your answer",
    your_number: "Your answer (a number)",
    match_each: "Match each item with its answer.",
    yes: "True",
    no: "False",
    solution: "Expected answer:",
    submit_quiz: "Check my answers",
    submit_test: "Send my answers",
    retry_quiz: "Try the quiz again",
    retry_test: "Take the test again",
    quiz_intro: "These questions help you remember; they do not count towards the final result.",
    test_intro: "Take your time. You can take the test again: your best result is kept.",
    test_questions: "questions",
    test_pass_mark: "passed from",
    previous: "Previous",
    next: "Next",
    next_lesson: "Next lesson",
    glossary: "Glossary",
    new_window: "(new window)",
    table: "Table",
    callouts: ["Good to know", "Tip", "Remember", "Watch out", "Caution"],
    no_script: "Without JavaScript the lesson reads as one page and your progress is not saved.",
};

const FRENCH_RUNTIME: RuntimeStrings = RuntimeStrings {
    page: "Page {n} sur {total}",
    right: "Bonne réponse.",
    partly: "Réponse en partie juste.",
    wrong: "Ce n’est pas la bonne réponse.",
    unanswered: "Pas de réponse.",
    missing: "Questions encore sans réponse\u{a0}: {n}. Vous pouvez les compléter, ou envoyer \
              quand même.",
    submit_anyway: "Envoyer quand même",
    quiz_score: "Résultat\u{a0}: {points} sur {total}.",
    passed: "Test réussi\u{a0}: {percent}\u{a0}%. Félicitations\u{202f}!",
    failed: "Vous avez {percent}\u{a0}%\u{202f}; il faut {pass}\u{a0}% pour réussir. Relisez les \
             commentaires, puis refaites le test quand vous le souhaitez.",
    best: "Votre meilleur résultat reste {percent}\u{a0}%.",
    lesson_done: "Leçon terminée. Passez à la suivante depuis le sommaire du parcours.",
    lesson_quiz_left: "Il reste les questions de la dernière page pour terminer la leçon.",
    test_done: "Votre résultat est enregistré. Vous pouvez revenir au sommaire du parcours.",
    preview: "Aperçu\u{a0}: cette page n’est pas ouverte depuis une plateforme, votre progression \
              n’est pas enregistrée.",
    not_saved: "L’enregistrement a échoué. Gardez cette page ouverte\u{a0}: un nouvel essai aura \
                lieu à votre prochaine action.",
    closed: "Cette leçon est fermée. Choisissez la suite dans le sommaire du parcours.",
    bad_number: "Écrivez un nombre, par exemple 12,5.",
};

const ENGLISH_RUNTIME: RuntimeStrings = RuntimeStrings {
    page: "Page {n} of {total}",
    right: "Right.",
    partly: "Partly right.",
    wrong: "Not the right answer.",
    unanswered: "No answer.",
    missing: "Questions without an answer: {n}. You can complete them, or send anyway.",
    submit_anyway: "Send anyway",
    quiz_score: "Result: {points} out of {total}.",
    passed: "Test passed: {percent}%. Congratulations!",
    failed: "You have {percent}%; {pass}% are needed to pass. Read the comments, then take the \
             test again when you like.",
    best: "Your best result remains {percent}%.",
    lesson_done: "Lesson finished. Go on to the next one from the table of contents.",
    lesson_quiz_left: "The questions on the last page remain to finish this lesson.",
    test_done: "Your result is saved. You can go back to the table of contents.",
    preview: "Preview: this page was not opened from a learning platform, your progress is not \
              saved.",
    not_saved: "Saving failed. Keep this page open: it will be tried again with your next action.",
    closed: "This lesson is closed. Choose what comes next in the table of contents.",
    bad_number: "Write a number, for example 12.5.",
};
