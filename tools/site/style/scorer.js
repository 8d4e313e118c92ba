// What a search of the pages shows first: a page whose title has the words as they are written, as error messages do; then the
// pages that people begin with. What is for people who change the project, or lists everything, comes last.
const FIRST = /^(installation|refused-workload|open-role|before-merging|errors|check|why|who-can|reach|diff|fix|simulate|audit|intents|input|live|settings|ci|output|private-rules|api|agents|certainty|comparison)$/;
const LAST = /^(changelog|contributing|facts|rules|conformance|schemas\/.*)$/;
var Scorer = {
  score: ([docname, , , , score, , kind]) =>
    score + (kind === "title" ? 40 : 0) + (FIRST.test(docname) ? 8 : docname.startsWith("errors/") ? 4 : LAST.test(docname) ? -8 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
