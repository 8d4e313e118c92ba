"""The organisation of `make audit-demo`: three audits that show what an audit tells."""

from datetime import datetime

from irsa_doctor import api
from tools import demo


def test_the_demo_shows_what_changes_from_run_to_run(tmp_path):
    demo.write(tmp_path)
    settings, store = api.load_settings(tmp_path), str(tmp_path / "audit.db")
    answers = [
        api.audit(
            [str(tmp_path / f"run-{number}")],
            settings=settings,
            store=store,
            as_of=datetime.fromisoformat(as_of),
            max_age=demo.KEPT,
        ).answer
        for number, as_of in enumerate(demo.RUNS, 1)
    ]
    assert [len(answer["scope"]["accounts"]) for answer in answers] == [12, 12, 12]
    assert answers[1]["changes"]["fixed"] == 2
    assert (answers[2]["changes"]["new"], answers[2]["changes"]["unseen"]) == (1, 1)
    assert {"standard-session-duration", "standard-role-unused"} <= {f["rule"] for f in answers[2]["findings"]}
    assert answers[2]["waived"][0]["accepted_by"] == "head of platform"
    evidence = api.audit_report(store=store, frameworks=["soc2", "fedramp-20x"])
    page = "".join(api.render_evidence(evidence, "html"))
    assert "1 more was open before and could not be checked in this run" in page
    assert "KSI-IAM-SNU" in page
