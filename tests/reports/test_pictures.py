"""Pictures of paths stay readable with many subjects, long names, and chains of different lengths."""

import re

import pytest

from irsa_doctor.answers.reach.records import ReachPath, ReachSubject, TakenStep
from irsa_doctor.reports import pictures
from irsa_doctor.reports.path_graph import graph_of

ROLE = "arn:aws:iam::111122223333:role/web"


def subject(name, kind="Group"):
    return ReachSubject(kind, name, None, "apollo")


def path(kind="token-request", account="apollo/shop/web", *via):
    steps = tuple(TakenStep("impersonate", subject(name, "User")) for name in via)
    return ReachPath(
        kind=kind,
        namespace="shop",
        service_accounts=(account,),
        steps=len(steps) + 1,
        certainty="certain",
        needs=(),
        through=(),
        via=steps,
    )


def test_subjects_with_the_same_paths_share_a_box():
    graph = graph_of(((subject(f"g{number}"), ROLE, [path()]) for number in range(200)), 60)
    (box,) = [node for node in graph.nodes if node.kind == "subject"]
    assert box.lines[-1] == "and 194 more"
    assert (len(graph.nodes), len(graph.edges), graph.left_out) == (3, 2, 0)


def test_a_picture_says_how_many_it_leaves_out():
    rows = [(subject(f"g{number}"), ROLE, [path(account=f"apollo/shop/a{number}")]) for number in range(70)]
    graph = graph_of(rows, 60)
    assert graph.left_out == 10
    assert "leaves out 10 more" in pictures._dot(graph)
    assert "%% The picture leaves out 10 more" in pictures._mermaid(graph)


def test_no_box_lies_under_an_arrow_that_passes_its_column():
    rows = [(subject("direct"), ROLE, [path()]), (subject("chained"), ROLE, [path("token-request", "apollo/shop/web", "ann")])]
    graph = graph_of(rows, 60)
    names = {node.lines[0]: number for number, node in enumerate(graph.nodes)}
    tops = pictures._tops(graph, [28] * len(graph.nodes))
    assert graph.column[names["shop/web"]] > graph.column[names["user ann"]] > 0
    assert tops[names["user ann"]] >= tops[names["shop/web"]] + 28


def test_arrows_lead_to_the_right_where_there_is_no_circle():
    rows = [
        (subject("a"), ROLE, [path("token-request", "apollo/shop/web", "ann", "bob")]),
        (subject("b"), ROLE, [path("token-request", "apollo/shop/api", "bob", "cid")]),
    ]
    graph = graph_of(rows, 60)
    assert all(graph.column[edge.start] < graph.column[edge.end] for edge in graph.edges)


def test_a_circle_of_identities_ends():
    rows = [
        (subject("a"), ROLE, [path("token-request", "apollo/shop/web", "ann", "bob")]),
        (subject("b"), ROLE, [path("token-request", "apollo/shop/api", "bob", "ann")]),
    ]
    assert graph_of(rows, 60).nodes


@pytest.mark.parametrize("name", ["W" * 90, "日本語" * 20, "a" * 300, "team-" * 40, "i" * 200])
def test_a_line_is_as_long_as_its_box_is_wide(name):
    parts = pictures._parts(name)
    assert "".join(parts) == name
    assert all(sum(map(pictures._width, part)) <= pictures._WIDTH - 2 * pictures._MARGIN for part in parts)


def test_words_of_arrows_do_not_lie_upon_each_other():
    rows = [(subject(f"g{number}"), ROLE, [path(account=f"apollo/shop/a{number}")]) for number in range(12)]
    svg = pictures._svg(graph_of(rows, 60))
    places = re.findall(r'<tspan x="(\d+)" y="(\d+)">', svg)
    assert len(places) == len(set(places)) == 24
