"""A service as a scorer: a local server that answers, stalls, redirects and breaks as servers do."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from molgen.chem.molecule import Molecule
from molgen.core.errors import ConfigError, ScorerError
from molgen.core.schema import ObjectiveConfig
from molgen.scoring.external_params import is_this_machine
from molgen.scoring.objective import build_objective
from molgen.scoring.protocol import Context
from molgen.scoring.registry import SCORERS
from molgen.testing import check_scorer

pytestmark = pytest.mark.network  # the loopback interface only


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.asked.append((self.path, body, dict(self.headers)))
        smiles = body["smiles"]
        status, answer, more = 200, [len(text) / 100 for text in smiles], {}
        if self.path == "/busy" and len(server.asked) < 3:
            status, more = 503, {"Retry-After": "0"}
        elif self.path == "/bad" and any("S" in text for text in smiles):
            status, answer = 422, {"detail": "no sulfur"}
        elif self.path == "/redirect":
            status, more = 307, {"Location": "http://elsewhere.example/score"}
        elif self.path == "/rows":
            answer = {"results": [{"id": k, "score": 1.5, "model": "v2"} for k in reversed(body["ids"])]}
        elif self.path == "/map":
            answer = {text: None if "S" in text else 2 for text in smiles}
        elif self.path == "/stall":
            server.release.wait(20)
        elif self.path == "/short":
            answer = answer[:-1]
        data = json.dumps(answer).encode()
        self.send_response(status)
        for key, value in {**more, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.asked, server.release = [], threading.Event()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.release.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def service(server, tmp_path):
    def make(path="/", **params):
        given = {"url": f"http://127.0.0.1:{server.server_port}{path}", "wait": 0, "retries": 0, **params}
        record = SCORERS["http"]
        parsed, problems = record.check_params(given, "params")
        assert not problems, problems
        return record.build(parsed, Context(tmp_path))

    return make


def mols(*smiles):
    return [Molecule(text) for text in smiles]


def test_it_keeps_the_contract(service):
    check_scorer(service("/rows", evidence=["model"]), ["CCCC", "CCO", "c1ccccc1"])


def test_it_sends_what_was_asked_in_batches(service, server):
    scored = service(batch_size=2, extra={"target": "EGFR"})(mols("CCCC", "CCCCC", "CCCCCC"))
    assert scored.values.tolist() == [0.04, 0.05, 0.06]
    bodies = [body for _, body, _ in server.asked]
    assert [body["smiles"] for body in bodies] == [["CCCC", "CCCCC"], ["CCCCCC"]]
    assert bodies[0] == {"smiles": ["CCCC", "CCCCC"], "ids": ["m1", "m2"], "target": "EGFR"}


def test_answers_by_name(service):
    scorer = service("/rows", evidence=["model"])
    assert scorer(mols("CC", "CCC")).values.tolist() == [1.5, 1.5]
    assert scorer.evidence(mols("CC")) == {"model": ["v2"]}
    scored = service("/map")(mols("CC", "CS"))
    assert scored.values[0] == 2
    assert scored.errors == {1: "no value in the answer"}


def test_a_busy_service_is_asked_again(service, server):
    assert service("/busy", retries=3)(mols("CCCC")).values.tolist() == [0.04]
    assert len(server.asked) == 3


def test_one_molecule_that_is_refused_did_not_cost_its_batch_and_is_not_sent_again(service, server):
    scored = service("/bad", retries=3)(mols("CCCC", "CS"))
    assert scored.values[0] == 0.04
    assert scored.errors == {1: 'HTTP 422 Unprocessable Entity: {"detail": "no sulfur"}'}
    assert len(server.asked) == 3, "the two together, then each alone"


def test_a_stalled_service_is_given_up(service):
    scored = service("/stall", time_limit=0.3)(mols("CCCC"))
    assert scored.errors == {0: "timed out after 0.3 s"}


def test_a_short_answer_was_not_matched_by_place(service):
    scored = service("/short")(mols("CCCC", "CCCCC"))
    assert np.isnan(scored.values).all()
    assert "0 rows for 1 molecules" in scored.errors[0]


def test_structures_do_not_follow_a_redirect_to_another_host(service):
    words = service("/redirect")(mols("CCCC")).errors[0]
    assert "redirects to http://elsewhere.example/score" in words


def test_a_proxy_of_the_environment_does_not_see_structures(service, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert service()(mols("CCCC")).values.tolist() == [0.04]


def test_a_service_that_is_not_there_ends_the_run_with_its_address(tmp_path):
    parsed, _ = SCORERS["http"].check_params(
        {"url": "http://127.0.0.1:9/score", "retries": 0, "give_up_after": 2}, "params"
    )
    scorer = SCORERS["http"].build(parsed, Context(tmp_path))
    with pytest.raises(
        ScorerError, match=r"failed 2 times in a row.*no answer from http://127\.0\.0\.1:9/score"
    ):
        scorer(mols("C", "CC", "CCC", "CCCC"))


def test_a_token_comes_from_the_environment_and_is_nowhere_else(service, server, monkeypatch):
    monkeypatch.setenv("DOCK_TOKEN", "s3cret")
    scorer = service(token_env="DOCK_TOKEN")
    scorer(mols("CCCC"))
    assert server.asked[0][2]["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in str(vars(scorer))
    monkeypatch.delenv("DOCK_TOKEN")
    with pytest.raises(ConfigError, match="DOCK_TOKEN is not set"):
        service(token_env="DOCK_TOKEN")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "http://dock.example.org/score",
            r"dock.example.org is not this machine.*allow_hosts: \[dock.example.org\]",
        ),
        ("http://127.0.0.1.example.org/", "is not this machine"),
        ("http://localhost@dock.example.org/", "must not hold a password"),
        ("ftp://localhost/", "must be http"),
        ("localhost:8080/score", "must be http"),
    ],
)
def test_structures_go_nowhere_unasked(url, words):
    config = ObjectiveConfig.model_validate({"components": [{"use": "http", "params": {"url": url}}]})
    with pytest.raises(ConfigError, match=words):
        build_objective(config)


def test_a_named_host_is_said_in_the_report(tmp_path):
    params = {"url": "https://dock.example.org/score", "allow_hosts": ["dock.example.org"]}
    config = ObjectiveConfig.model_validate({"components": [{"use": "http", "params": params}]})
    with build_objective(config, base_dir=tmp_path) as built:
        assert (
            built.describe()[0]["summary"]
            == "value of the service at dock.example.org; structures are sent there"
        )


def test_what_this_machine_is():
    assert all(map(is_this_machine, ["localhost", "127.0.0.1", "127.1.2.3", "::1"]))
    assert not any(
        map(is_this_machine, ["127.0.0.1.example.org", "10.0.0.1", "localhost.example.org", "127.1.evil.x"])
    )
