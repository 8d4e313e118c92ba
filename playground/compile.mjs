// Compiles what answers import, which takes the browser seconds: node compile.mjs PYODIDE SITE ZIP. The bytecode is not checked
// against its sources: it goes with the wheels beside it.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { join, resolve } from "node:path";

const [pyodide, site] = process.argv.slice(2).map((path) => resolve(path));
const { loadPyodide } = await import(pathToFileURL(join(pyodide, "pyodide.mjs")));
const python = await loadPyodide({ indexURL: pyodide });
const { archives } = JSON.parse(readFileSync(join(site, "manifest.json"), "utf8"));
const packages = python.runPython("import site; site.getsitepackages()[0]");
for (const { path } of archives) python.unpackArchive(new Uint8Array(readFileSync(join(site, path))), "zip", { extractDir: packages });
python.globals.set("packages", packages);
python.runPython(`
import importlib, os, py_compile, sys, zipfile, io, json
importlib.invalidate_caches()
os.makedirs("/pasted"); os.chdir("/pasted")
from playground.answers import answer
POLICY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/AB"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringLike": {"oidc.eks.eu-west-1.amazonaws.com/id/AB:sub": "system:serviceaccount:a:*"}}}]}'
ACCOUNT = "apiVersion: v1\\nkind: ServiceAccount\\nmetadata:\\n  name: b\\n  namespace: a\\n  annotations: {eks.amazonaws.com/role-arn: 'arn:aws:iam::111122223333:role/r'}\\n"
answer(POLICY + "\\n---\\n" + ACCOUNT, "arn:aws:iam::111122223333:role/r", "")
answer("AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity", "", "")
buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None) or ""
        if path.startswith(packages) and path.endswith(".py"):
            target = importlib.util.cache_from_source(path)
            py_compile.compile(path, target, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
            archive.writestr(zipfile.ZipInfo(os.path.relpath(target, packages), (1980, 1, 1, 0, 0, 0)), open(target, "rb").read(), zipfile.ZIP_DEFLATED)
result = buffer.getvalue()
`);
writeFileSync(process.argv[4], python.globals.get("result").toJs());
