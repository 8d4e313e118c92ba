// The page: asks the worker, and shows its answer. Text reaches the page by textContent alone.
import { examples } from "./examples.js";
import { answered } from "./answer.js";

const MOST = 256 * 1024;
const MOST_SECONDS = 90;
const byId = (id) => document.getElementById(id);
const [form, documents, role, error] = ["form", "documents", "role", "error"].map(byId);
const [check, stop, state, shown, size] = ["check", "stop", "state", "shown", "size"].map(byId);
let worker = null;
let ready = false;
let waiting = null;
let number = 0;
let timer = 0;

function said(text, kind = "") {
  state.textContent = text;
  state.className = kind;
}

function restart() {
  worker?.terminate();
  ready = false;
  said("Loading Python");
  // a blob URL: the worker then has the policy (CSP) of this page
  const address = new URL("worker.js", document.baseURI).href;
  const blob = URL.createObjectURL(new Blob([`import ${JSON.stringify(address)};`], { type: "text/javascript" }));
  worker = new Worker(blob, { type: "module" });
  worker.onmessage = ({ data }) => received(data);
  worker.onerror = (event) => failed(event.message || "the worker could not be started");
  // messages wait until the module has been read: the blob imports it, and the port is open before that
  worker.postMessage({ kind: "start", base: document.baseURI });
}

function received(data) {
  if (data.kind === "stage") said(data.text);
  if (data.kind === "ready") {
    ready = true;
    said(`Ready, version ${data.version}`, "ready");
    document.documentElement.dataset.ready = String(Math.round(performance.now()));
    if (waiting) ask(waiting);
  }
  if (data.kind === "answer" && data.number === number) {
    idle();
    const seconds = (data.milliseconds / 1000).toFixed(data.milliseconds < 995 ? 2 : 1);
    said(`Answered in ${seconds} s`, "ready");
    shown.replaceChildren(answered(JSON.parse(data.text)));
    document.documentElement.dataset.answered = String(data.number);
    if (window.matchMedia("(max-width: 60rem)").matches) byId("answer").scrollIntoView();
  }
  if (data.kind === "failed") failed(data.text);
}

function failed(text) {
  idle();
  said("Something went wrong", "bad");
  const problem = document.createElement("p");
  problem.className = "problem";
  problem.textContent = `irsa-doctor could not answer here: ${text.trim().split("\n").at(-1)}`;
  shown.replaceChildren(problem);
  document.documentElement.dataset.answered = String(number);
}

function idle() {
  clearTimeout(timer);
  waiting = null;
  check.disabled = false;
  stop.hidden = true;
  shown.removeAttribute("aria-busy");
}

function ask(question) {
  waiting = question;
  check.disabled = true;
  stop.hidden = false;
  shown.setAttribute("aria-busy", "true");
  if (!ready) return;
  said("Checking");
  timer = setTimeout(() => halted(`No answer after ${MOST_SECONDS} seconds: the check was stopped.`), MOST_SECONDS * 1000);
  worker.postMessage({ kind: "ask", ...question });
}

function halted(text) {
  failed(text);
  restart();
}

function submitted() {
  const texts = [documents.value, role.value, error.value];
  const long = texts.reduce((sum, text) => sum + text.length, 0);
  if (long > MOST) return; // said beside the field
  if (!texts.some((text) => text.trim())) {
    documents.focus();
    return;
  }
  number += 1;
  ask({ number, documents: documents.value, role: role.value, error: error.value });
}

function measured() {
  const long = documents.value.length + role.value.length + error.value.length;
  const over = long > MOST;
  size.textContent = over
    ? `${long.toLocaleString("en")} characters, and this page takes ${MOST.toLocaleString("en")}. The command line takes more: irsa-doctor check FILE`
    : "";
  size.classList.toggle("problem", over);
  documents.setAttribute("aria-invalid", String(over));
  check.disabled = over || Boolean(waiting);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!waiting) submitted();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !waiting) {
    event.preventDefault();
    submitted();
  }
});
form.addEventListener("input", measured);
stop.addEventListener("click", () => halted("Stopped."));
for (const button of document.querySelectorAll("[data-example]")) {
  button.addEventListener("click", () => {
    const example = examples[button.dataset.example];
    documents.value = example.documents ?? "";
    role.value = example.role ?? "";
    error.value = example.error ?? "";
    byId("more").open = Boolean(example.role || example.error);
    measured();
    if (!waiting) submitted();
  });
}
restart();
