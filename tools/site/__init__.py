"""The pages on the web, from `docs/` and from the files of rules, causes, messages, issuers, frameworks and schemas.

`python -m tools.site FOLDER` writes their sources (Markdown) into an empty folder; Sphinx makes HTML of it (`make docs`).
Nothing of it is committed: `docs/*.md` are read as they are, and everything else is written anew.
"""
