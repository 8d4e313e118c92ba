// Runs irsa-doctor in Pyodide. It is started from a blob URL, so that the policy of the page (CSP) is its policy too: a worker
// from a file of its own would have none, and could send what it reads anywhere.
let python = null;
let answer = null;

const post = (kind, value) => self.postMessage({ kind, ...value });

async function fetched(base, file) {
  const response = await fetch(new URL(file.path, base), { integrity: file.integrity, credentials: "same-origin" });
  if (!response.ok) throw new Error(`${file.path}: ${response.status}`);
  return response.arrayBuffer();
}

async function started(base) {
  const manifest = await (await fetch(new URL("manifest.json", base), { credentials: "same-origin" })).json();
  // the packages load while Pyodide starts
  const packages = fetched(base, manifest.packages);
  packages.catch(() => {});
  const { loadPyodide } = await import(new URL("pyodide/pyodide.mjs", base));
  python = await loadPyodide({ indexURL: new URL("pyodide/", base).href, env: { HOME: "/home/pyodide", TZ: "UTC" } });
  post("stage", { text: "Loading the rules" });
  const site = python.runPython("import site; site.getsitepackages()[0]");
  python.unpackArchive(await packages, "zip", { extractDir: site });
  python.runPython(`
import importlib, os, sys
sys.dont_write_bytecode = True
importlib.invalidate_caches()
os.makedirs("/pasted", exist_ok=True)
os.chdir("/pasted")
`);
  answer = python.runPython("from playground.answers import answer; answer");
  // what every answer needs is loaded before the first is asked for
  answer('{"Version": "2012-10-17", "Statement": []}', "", "");
  post("ready", { version: manifest.version });
}

self.onmessage = async ({ data }) => {
  try {
    if (data.kind === "start") await started(data.base);
    if (data.kind === "ask") {
      const begin = performance.now();
      const text = answer(data.documents, data.role, data.error);
      post("answer", { number: data.number, text, milliseconds: performance.now() - begin });
    }
  } catch (error) {
    post("failed", { number: data.number ?? 0, text: String(error && error.message ? error.message : error) });
  }
};
