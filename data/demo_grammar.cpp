// SPDX-License-Identifier: Apache-2.0
#include "data/demo_grammar.h"

namespace espalier {

// clang-format off
const std::vector<GrammarSymbol>& demo_grammar() {
  static const std::vector<GrammarSymbol> grammar = {
    {"review", {"{plain+}", "{plain+}", "{plain+}", "{contrast+}", "{contrast+}", "{hearsay+}"}, {}, {}},

    {"plain",
     {"{clause+} .", "{clause+} .", "{clause+}", "{clause+} and {clause+} .", "{clause+} , and {clause+} .", "{idiom+} .", "{idiom+} .",
      "{subject} {action+} and {action+} .", "{predicate+}", "{judgement+} and {judgement+}", "thanks to {trait+} , {clause+} .",
      "with {trait+} and {trait+} , {clause+} .", "{clause+} because of {trait+} .", "a {judgement+} {film} .", "a {judgement+} {film} with {trait+} .",
      "a {judgement+} {film} that {action+} .", "a {quality+} , {quality+} {film} .", "a {quality-} {film} ? {answer} .",
      "{clause+} , so {advice+} .", "{clause+} ; {advice+} .", "{advice+} : {clause+} .", "the {aspect} , the {aspects} : all {quality+} ."},
     {}, {}},

    {"contrast",
     {"{clause-} , but {clause+} .", "{clause-} , yet {clause+} .", "{clause-} ; even so , {clause+} .", "{clause-} , but {idiom+} .",
      "{clause-} , and still {clause+} .", "{clause-} ; {advice+} anyway .", "although {clause-} , {clause+} .", "while {clause-} , {clause+} .",
      "even if {clause-} , {clause+} .", "{clause+} , even though {clause-} .", "{clause+} , although {clause-} .", "despite {trait-} , {clause+} .",
      "{clause+} despite {trait-} .", "{trait-} aside , {clause+} .", "{subject} {starts} {manner-} but {ends} {manner+} .",
      "{subject} {starts} {manner-} , then {ends} {manner+} .", "{subject} {ends} as {manner+} as it {starts} {manner-} .",
      "what sounds like a {quality-} {film} turns out to be {predicate+} .", "it looks {quality-} at first and proves {quality+} .",
      "i expected something {quality-} and got something {quality+} .", "where others are {quality-} , this {film} is {quality+} .",
      "more {quality+} than {quality-} .", "{subject} is less {quality-} than {quality+} .", "the {aspect} is more {quality+} than {quality-} ."},
     {"i went in ready to hate it , but {clause+} .", "it would be easy to complain about {trait-} , but {clause+} .",
      "say what you like about {trait-} ; {clause+} .", "even people who never {like} a {film} will {like} this one .",
      "*who cares about {trait-} when {clause+} ?"},
     {"i wanted to love it , but {clause+} .", "if only the {aspect} were {quality-} .", "i wish i could say that {clause-} .",
      "it takes more than {trait-} to save a {film} in which {clause+} .", "{subject} should have been {quality-} ; instead it is {quality+} .",
      "{subject} would be {quality-} if the {aspect} were not so {quality+} .", "*not even {trait-} can hide that {clause+} ."}},

    {"hearsay",
     {"do not believe anyone who says that {clause-} .", "it is simply not true that {clause-} .", "nobody could claim that {clause-} .",
      "the critics say that {clause-} ; they are wrong .", "the critics say that {clause+} ; they are right .", "you can believe anyone who says that {clause+} .",
      "everybody agrees that {clause+} .", "nobody denies that {clause+} ."},
     {}, {}},

    {"clause", {"{claim+}", "{claim+}", "{claim+}", "{denial+}"}, {}, {}},

    {"claim",
     {"the {aspect} is {predicate+}", "the {aspects} are {predicate+}", "{subject} is {predicate+}", "{subject} {action+}", "{subject} {action+}",
      "{subject} is full of {virtue+}", "{subject} has {virtue+} and {virtue+}", "there is {virtue+} in every {moment}", "every {moment} feels {quality+}",
      "everything about the {aspect} is {quality+}", "the {aspect} could hardly be more {quality+}", "i was {feeling+}", "the audience was {feeling+}",
      "most will find it {quality+}"},
     {}, {}},

    {"denial",
     {"{subject} is free of {virtue-}", "there is no {virtue-} in it", "not one {moment} feels {quality-}", "nothing about the {aspect} is {quality-}",
      "the {aspect} could hardly be less {quality-}", "the {aspect} lacks {virtue-}", "i was never {feeling-}", "nobody around me was {feeling-}",
      "i left {feeling+} rather than {feeling-}", "few will find it {quality-}"},
     {}, {"{subject} has too little {virtue-}", "no amount of {virtue-} can help it"}},

    {"predicate", {"{judgement+}", "{judgement+}", "{judgement+}", "{negation+}"}, {}, {}},
    {"judgement", {"{quality+}", "{quality+}", "{degree} {quality+}", "{degree} {quality+}", "{quality+} and {quality+}"}, {}, {}},

    {"negation",
     {"not {quality-}", "not {quality-} at all", "never {quality-}", "hardly {quality-}", "anything but {quality-}", "far from {quality-}",
      "neither {quality-} nor {quality-}", "by no means {quality-}", "{quality+} , not {quality-}", "not {quality-} but {quality+}", "*in no way {quality-}"},
     {"not once {quality-}"}, {"too {quality-} by half to be {quality-}", "not nearly {quality-} enough", "less {quality-} than it thinks"}},

    {"answer", {"anything but", "not at all", "far from it", "not for a moment", "hardly"}, {}, {}},

    {"trait", {"its {quality+} {aspect}", "the {quality+} {aspect}", "the {quality+} {aspects}", "its {quality+} {aspects}", "{virtue+} like this", "so much {virtue+}",
      "{quality+} {aspects}", "such {virtue+}", "its lack of {virtue-}"}, {}, {}},

    {"action",
     {"{does+}", "{does+}", "{does+}", "{does+}", "{does+} and {does+}", "never {do-}", "does not {do-}", "always manages to {do+}", "never fails to {do+}", "rarely fails to {do+}", "knows how to {do+}",
      "refuses to {do-}", "*seldom fails to {do+}", "*simply can not {do-}"},
     {"does more than {do+}"}, {"fails to {do-}", "barely manages to {do-}", "tries to {do-} and does not", "only pretends to {do-}", "forgets to {do-}"}},

    {"does", {},
     {"charms", "delights", "dazzles", "works", "soars", "entertains", "amuses", "impresses", "shines", "inspires", "convinces", "*enchants", "*captivates",
      "*sparkles", "*triumphs", "*mesmerizes"},
     {"bores", "drags", "disappoints", "stumbles", "annoys", "irritates", "sinks", "collapses", "plods", "confuses", "rambles", "*flounders", "*grates",
      "*infuriates", "*fizzles", "*meanders"}},

    {"do", {},
     {"charm", "delight", "dazzle", "work", "soar", "entertain", "amuse", "impress", "shine", "inspire", "convince", "*enchant", "*captivate", "*sparkle",
      "*triumph", "*mesmerize"},
     {"bore", "drag", "disappoint", "stumble", "annoy", "irritate", "sink", "collapse", "plod", "confuse", "ramble", "*flounder", "*grate", "*infuriate",
      "*fizzle", "*meander"}},

    {"quality", {},
     {"good", "great", "fine", "funny", "clever", "moving", "charming", "delightful", "fresh", "original", "gripping", "tender", "witty", "warm",
      "graceful", "brilliant", "beautiful", "honest", "lively", "smart", "touching", "thrilling", "superb", "wonderful", "memorable", "rich", "bold",
      "satisfying", "elegant", "sincere", "*excellent", "*splendid", "*marvelous", "*engaging", "*heartwarming", "*riveting", "*hilarious", "*exquisite",
      "*insightful", "*terrific", "*stunning", "*poignant"},
     {"bad", "poor", "awful", "dull", "boring", "clumsy", "stale", "tired", "flat", "predictable", "shallow", "lifeless", "noisy", "silly", "pointless",
      "dreary", "terrible", "ugly", "false", "lazy", "messy", "tedious", "hollow", "forgettable", "cheap", "empty", "weak", "annoying", "cold",
      "bland", "*horrible", "*dreadful", "*tiresome", "*sloppy", "*unfunny", "*witless", "*joyless", "*insipid", "*wooden", "*incoherent", "*dismal",
      "*monotonous"}},

    {"manner", {},
     {"well", "beautifully", "brightly", "strongly", "gracefully", "happily", "cleverly", "brilliantly", "*superbly", "*wonderfully", "*splendidly"},
     {"badly", "poorly", "weakly", "clumsily", "lazily", "slowly", "foolishly", "terribly", "*dully", "*dreadfully", "*miserably"}},

    {"virtue", {},
     {"charm", "wit", "warmth", "energy", "heart", "tension", "grace", "style", "humor", "imagination", "*intelligence", "*sparkle", "*tenderness",
      "*suspense"},
     {"boredom", "noise", "padding", "nonsense", "confusion", "gloom", "kitsch", "vanity", "pomp", "clutter", "*tedium", "*bombast", "*clumsiness",
      "*drivel"}},

    {"feeling", {},
     {"moved", "thrilled", "hooked", "amused", "happy", "delighted", "impressed", "grateful", "*enthralled", "*spellbound", "*charmed"},
     {"bored", "annoyed", "tired", "confused", "disappointed", "angry", "sleepy", "embarrassed", "*exasperated", "*baffled", "*irritated"}},

    {"idiom",
     {},
     {"it is worth every penny", "it is a breath of fresh air", "it hits the nail on the head", "it had me on the edge of my seat", "it is a feast for the eyes",
      "it steals the show", "it ticks every box", "it is a cut above the rest", "it sticks the landing", "it never runs out of steam", "it never misses the mark",
      "it is no waste of time", "it never goes off the rails", "it does not put a foot wrong", "it gets two thumbs up", "time flies", "*it is pure gold",
      "*it is a gem", "*it knocks it out of the park", "*the cast is on fire"},
     {"it falls flat", "it runs out of steam", "it misses the mark", "it goes off the rails", "it is like watching paint dry", "it leaves a bad taste",
      "it is two hours i will never get back", "it is a waste of time", "it bites off more than it can chew", "it is past saving", "it beats a dead horse",
      "it is not worth the ticket", "it never sticks the landing", "it is no breath of fresh air", "it is hardly a feast for the eyes", "it never takes off",
      "*it is a train wreck", "*it jumps the shark", "*it is a damp squib", "*i checked my watch twice"}},

    {"advice", {},
     {"go and see it", "do not miss it", "see it twice", "bring your friends", "buy a ticket", "you should not skip it", "*treat yourself"},
     {"skip it", "do not bother", "stay at home", "save your money", "avoid it", "do not buy a ticket", "*steer clear"}},

    {"degree", {"very", "truly", "so", "quite", "really", "utterly", "deeply", "remarkably", "rather", "unusually", "*exceedingly", "*thoroughly"}, {}, {}},
    {"like", {"like", "enjoy", "*adore"}, {}, {}},
    {"starts", {"starts", "begins", "opens", "*commences"}, {}, {}},
    {"ends", {"ends", "closes", "finishes", "*concludes"}, {}, {}},

    {"subject",
     {"it", "it", "it", "the {film}", "this {film}", "the whole {film}", "the director 's new {film}", "the second half", "the first hour", "this {genre} {film}"},
     {}, {}},

    {"film", {"film", "movie", "picture", "comedy", "drama", "thriller", "sequel", "western", "musical", "romance", "mystery", "*satire", "*whodunit", "*biopic"}, {}, {}},
    {"genre", {"crime", "family", "war", "ghost", "school", "costume", "*heist", "*vampire"}, {}, {}},
    {"moment", {"scene", "moment", "line", "minute", "shot", "*sequence"}, {}, {}},
    {"aspect",
     {"acting", "script", "camera work", "score", "dialogue", "plot", "pacing", "cast", "ending", "editing", "direction", "story", "soundtrack", "lighting",
      "*cinematography", "*screenplay", "*choreography"}, {}, {}},
    {"aspects", {"performances", "jokes", "characters", "songs", "costumes", "effects", "images", "actors", "*punchlines", "*stunts"}, {}, {}},
  };
  return grammar;
}
// clang-format on

}  // namespace espalier
