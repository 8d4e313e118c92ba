// An answer as elements. Every text of it is put in as text: a name in a document may look like HTML.
const SEVERITIES = ["critical", "high", "medium", "low"];
const VERDICTS = { broken: "broken", works: "works", unknown: "undetermined" };
const LINKS = { pass: "holds", fail: "broken", unknown: "unknown", skipped: "not checked" };

function element(tag, options = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (name === "class") made.className = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

// text with `code` between backquotes
function prose(text, tag = "p", options = {}) {
  const parts = String(text).split("`");
  const whole = parts.length % 2 === 1;
  const children = whole ? parts.map((part, at) => (at % 2 ? element("code", {}, part) : part)) : [String(text)];
  return element(tag, options, ...children);
}

// only https addresses become links, whatever the text of an answer is
function link(address, text) {
  if (!/^https:\/\/[\w.-]+\//.test(address)) return element("span", {}, text);
  return element("a", { href: address, rel: "noopener noreferrer", target: "_blank" }, text);
}

function code(text, label) {
  const block = element("pre", { tabindex: "0" }, element("code", {}, text));
  const button = element("button", { type: "button", class: "copy", "aria-label": `Copy: ${label}` }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(block);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return element("div", { class: "code" }, button, block);
}

function section(title, ...children) {
  return element("section", { class: "part" }, element("h3", {}, title), ...children);
}

const plural = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

function places(locations) {
  const texts = locations.map((place) => `${place.file}${place.line ? `:${place.line}` : ""}${place.column ? `:${place.column}` : ""}`);
  return [...new Set(texts)];
}

// the line of a document that a finding is about, with the part that it is about marked
function quoted(location, files) {
  const file = files.find(({ path }) => path === location.file);
  const line = file?.text.split("\n")[location.line - 1];
  if (line === undefined) return null;
  const characters = [...line];
  const begin = Math.max(0, (location.column || 1) - 1);
  const end = location.end_line === location.line && location.end_column ? location.end_column - 1 : characters.length;
  const [before, marked, after] = [characters.slice(0, begin), characters.slice(begin, end), characters.slice(end)].map((part) => part.join(""));
  return element("pre", { class: "quote" }, element("span", { class: "line" }, `${location.line}  `), before.trimStart(), element("mark", {}, marked), after);
}

function finding(row, files) {
  const primary = row.locations.find((place) => place.primary) ?? row.locations[0];
  const snippets = row.snippets.map((snippet) =>
    element("details", {}, element("summary", {}, snippet.title), code(snippet.text, snippet.title)));
  return element(
    "article", { class: `card ${row.severity}` },
    element("header", {}, element("span", { class: "word" }, row.severity), element("h4", {}, row.title), element("code", { class: "id" }, row.rule)),
    prose(row.message),
    primary ? element("p", { class: "dim" }, `${places(row.locations).join(", ")}${primary.says ? ` (${primary.says})` : ""}`) : null,
    primary ? quoted(primary, files) : null,
    element("p", { class: "label" }, "What to do"), prose(row.remedy), ...snippets,
    element("p", { class: "dim" }, `Confidence: ${row.confidence}. `, link(row.url, "Source")),
  );
}

function totals(report, isBroken) {
  const { findings } = report.summary;
  const words = SEVERITIES.filter((severity) => findings[severity]).map((severity) => element("li", { class: severity }, element("b", {}, String(findings[severity])), ` ${severity}`));
  const read = report.documents.map((row) => `${row.path}: ${row.status === "read" ? row.kind : `${row.status}${row.why ? `, ${row.why}` : ""}`}`);
  const sum = report.findings.length ? element("ul", { class: "counts" }, ...words) : element("p", isBroken ? {} : { class: "good" }, "No finding of a rule.");
  const missing = report.unknown.length ? prose(`Incomplete: ${plural(report.unknown.length, "input")} missing.`, "p", { class: "open" }) : null;
  return element("section", { class: "part first" }, sum, missing, element("p", { class: "dim" }, read.join("; ")));
}

function grant(row) {
  const subjects = row.subjects.patterns.map((pattern) => element("li", {}, element("code", {}, pattern)));
  const excepted = row.subjects.except.map((pattern) => element("li", {}, "except ", element("code", {}, pattern)));
  const audiences = row.audiences.any ? "every client id of the provider" : row.audiences.values.join(", ");
  return element(
    "article", { class: `card ring-${row.ring}` },
    element("h4", {}, row.reaches || "Nobody"),
    row.why ? prose(row.why) : null,
    element("ul", { class: "subjects" }, ...subjects, ...excepted),
    row.subjects.witness ? element("p", {}, "For example ", element("code", {}, row.subjects.witness)) : null,
    element("p", { class: "dim" }, `Audiences: ${audiences}`),
    element("p", { class: "dim" }, `Issuer: ${row.issuer || row.provider}`),
    row.depends_on.length ? element("p", { class: "open" }, `Depends on: ${row.depends_on.join(", ")}`) : null,
  );
}

function whoCan(answer) {
  const others = answer.others.map((other) => element("li", {}, element("code", {}, typeof other === "string" ? other : Object.values(other).filter((value) => typeof value === "string" && value).join(" "))));
  const none = answer.grants.length || others.length ? null : element("p", {}, "No subject of an OIDC provider.");
  return section(
    `Who can assume ${answer.role}`,
    answer.problem ? prose(typeof answer.problem === "string" ? answer.problem : answer.problem.why ?? JSON.stringify(answer.problem), "p", { class: "problem" }) : null,
    ...answer.grants.map(grant), none,
    others.length ? element("p", { class: "label" }, "Other principals") : null,
    others.length ? element("ul", { class: "subjects" }, ...others) : null,
    ...answer.unknown.map((missing) => element("p", { class: "open" }, `Unknown: ${missing.missing ?? missing.name ?? ""}`)),
  );
}

function chainLink(row) {
  return element(
    "li", { class: row.verdict },
    element("span", { class: "word" }, LINKS[row.verdict] ?? row.verdict), " ", element("b", {}, row.title),
    prose(row.because, "p"),
    row.verdict === "unknown" && row.settle ? code(row.settle, "the command that settles it") : null,
  );
}

function cause(row, at) {
  const snippets = row.snippets.map((snippet) => element("details", {}, element("summary", {}, snippet.title), code(snippet.text, snippet.title)));
  const body = [
    row.because === row.title ? null : prose(row.because), prose(row.remedy), ...snippets,
    row.settle ? element("p", { class: "label" }, "What settles it") : null,
    row.settle ? code(row.settle, "what settles it") : null,
    element("p", { class: "dim" }, link(row.url, "Source")),
  ];
  const head = [element("span", { class: "word" }, row.certainty), " ", element("b", {}, row.title), " ", element("code", { class: "id" }, row.id)];
  const details = element("details", { class: `cause ${row.certainty}` }, element("summary", {}, ...head), ...body.filter(Boolean));
  details.open = at === 0;
  return details;
}

function why(diagnosis) {
  const { namespace, service_account: account } = diagnosis.subject;
  const name = account ? `${namespace}/${account}` : "the credential";
  const examined = diagnosis.links.filter((row) => row.verdict !== "skipped");
  const skipped = diagnosis.links.length - examined.length;
  const predicted = diagnosis.predicted_error;
  return section(
    `Why: ${name}`,
    element("p", { class: `verdict ${diagnosis.verdict}` }, `${name} ${account ? "and its role: " : ""}${VERDICTS[diagnosis.verdict] ?? diagnosis.verdict}`),
    predicted ? element("p", {}, "The error is ", element("code", {}, predicted.code), `: ${predicted.message}`) : null,
    ...diagnosis.causes.map(cause),
    examined.length ? element("details", {}, element("summary", {}, `The ${plural(examined.length, "link")} of the chain that were checked`), element("ol", { class: "chain" }, ...examined.map(chainLink))) : null,
    skipped ? element("p", { class: "dim" }, `${plural(skipped, "link")} not checked.`) : null,
    ...diagnosis.wrong_fixes.map((row) => element("p", { class: "open" }, `Do not: ${row.says} ${row.instead}`)),
    ...diagnosis.notes.map((note) => prose(note, "p", { class: "dim" })),
  );
}

function difference(diff) {
  const lines = diff.split("\n").filter((line) => !/^(---|\+\+\+) /.test(line));
  const kinds = { "+": "ins", "-": "del" };
  return element("pre", { tabindex: "0", class: "diff" }, ...lines.flatMap((line) => [kinds[line[0]] ? element(kinds[line[0]], {}, line) : line, "\n"]));
}

function corrected(answer) {
  if (!answer.fix) return null;
  const { fixes, unfixed } = answer.fix;
  if (!fixes.length && !unfixed.length) return null;
  const reasons = fixes.filter((row) => row.applied).map((row) => prose(`${row.title}: ${row.because}.`, "li"));
  const left = unfixed.map((row) => element("li", {}, element("code", { class: "id" }, row.rule), " ", prose(row.because, "span"), row.how ? prose(` (${row.how})`, "span", { class: "dim" }) : null));
  return section(
    answer.corrected.length ? "Corrected" : "Not corrected automatically",
    reasons.length ? element("ul", {}, ...reasons) : null,
    answer.diff ? difference(answer.diff) : null,
    ...answer.corrected.map((file) => element("details", {}, element("summary", {}, `${file.path}, whole`), code(file.text, file.path))),
    left.length ? element("p", { class: "label" }, answer.corrected.length ? "Left for you to decide" : "Why") : null,
    left.length ? element("ul", {}, ...left) : null,
  );
}

function unknown(report) {
  if (!report?.unknown.length) return null;
  const rows = report.unknown.map((row) => element("li", {}, prose(`${row.missing} (${row.rules.join(", ")})`, "span"), row.how ? code(row.how, "the command that fetches it") : null));
  return section("Not checked", element("details", {}, element("summary", {}, `${plural(rows.length, "input")} missing, with the commands that fetch them`), element("ul", {}, ...rows)));
}

function commandLine(answer) {
  const quote = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const paths = answer.files.map(({ path }) => path);
  const lines = [];
  if (answer.check) lines.push(["irsa-doctor", "check", ...paths, ...answer.settings]);
  if (answer.error) lines.push(["irsa-doctor", "why", ...(answer.check ? paths : []), "--error", answer.error.length > 300 ? "@error.txt" : answer.error]);
  if (!lines.length) return null;
  return element("details", { class: "part" }, element("summary", {}, "The same on the command line"), code(lines.map((line) => line.map(quote).join(" ")).join("\n"), "the command"));
}

export function answered(answer) {
  const shown = document.createDocumentFragment();
  const parts = [
    ...answer.problems.map((text) => element("p", { class: "problem" }, text)),
    answer.check ? totals(answer.check, answer.why.some((row) => row.verdict === "broken")) : null,
    ...answer.why.map(why),
    answer.check?.findings.length ? section("Findings", ...answer.check.findings.map((row) => finding(row, answer.files))) : null,
    corrected(answer),
    ...answer.who_can.map(whoCan),
    unknown(answer.check),
    commandLine(answer),
  ];
  shown.append(...parts.filter(Boolean));
  if (!shown.childNodes.length) shown.append(element("p", { class: "empty" }, "Nothing to say about this text."));
  return shown;
}
