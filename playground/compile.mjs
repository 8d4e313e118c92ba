// Compiles the modules of an archive, which takes the browser seconds: node compile.mjs PYODIDE SOURCES.zip FOLDER COMPILED.zip.
// FOLDER is where they will lie. Nothing is kept of their sources: Python then looks for the bytecode alone.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { join, resolve } from "node:path";

const [pyodide, sources] = process.argv.slice(2, 4).map((path) => resolve(path));
const { loadPyodide } = await import(pathToFileURL(join(pyodide, "pyodide.mjs")));
const python = await loadPyodide({ indexURL: pyodide });
python.FS.writeFile("/sources.zip", readFileSync(sources));
python.globals.set("folder", process.argv[4]);
python.runPython(`
import os, py_compile, zipfile
os.chdir("/tmp")
compiled = dict(cfile="module.pyc", doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
with zipfile.ZipFile("/sources.zip") as archive, zipfile.ZipFile("/compiled.zip", "w", zipfile.ZIP_DEFLATED) as target:
    for name in sorted(name for name in archive.namelist() if not name.endswith("/")):
        content = archive.read(name)
        if name.endswith(".py"):
            with open("module.py", "wb") as file:
                file.write(content)
            py_compile.compile("module.py", dfile=f"{folder}/{name}", **compiled)
            name += "c"
            with open("module.pyc", "rb") as file:
                content = file.read()
        target.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
`);
writeFileSync(resolve(process.argv[5]), python.FS.readFile("/compiled.zip"));
