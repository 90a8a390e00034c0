"""What deploys the server says what the server does: flags, ports, addresses, times; and refusals hold."""

import contextlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tomllib
from collections import Counter
from configparser import RawConfigParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from ligero import flags
from ligero.config import ServeConfig
from ligero.runtime import Predictor
from ligero.serve import pool, run, serving
from ligero.settings import options
from served import TEXT, ask

ROOT = Path(__file__).parents[2]
# Seconds within which a server that is told to end has ended.
DRAINED = run.DRAINING + run.GOODBYE + pool.ENDING


def benchmark(name):
    """A module of benchmarks/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def settings_of(words):
    """(folders, settings) of a command that begins with serve; the real parser reads it."""
    from ligero.cli import parser

    assert words[0] == "serve"
    chosen = parser().parse_args(words)
    return chosen.folders, flags.read(chosen, ServeConfig)


def containerfile():
    """(instruction, rest) of each line, continued ones joined, comments left out."""
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def test_the_container_serves_as_it_says():
    lines = containerfile()
    told = dict(lines)
    assert yaml.safe_load(told["ENTRYPOINT"]) == ["ligero"]
    folders, config = settings_of(yaml.safe_load(told["CMD"]))
    assert folders == ["/models"] and config.host == "0.0.0.0" and config.warm
    assert told["EXPOSE"] == str(config.port) and f":{config.port}/health" in told["HEALTHCHECK"]
    assert int(told["USER"].split(":")[0]) > 0
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (install,) = (rest for name, rest in lines if name == "RUN" and "pip install" in rest)
    (extra,) = re.findall(r"\[(\w+)\]", install)
    asked = project["dependencies"] + project["optional-dependencies"][extra]
    assert not any(re.match(r"torch|transformers|ligero", one) for one in asked)
    # The health check is Python that can be read, since there is no curl.
    check = yaml.safe_load(told["HEALTHCHECK"].split("CMD", 1)[1])
    compile(check[2], "HEALTHCHECK", "exec")


def test_what_is_copied_is_not_ignored():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    kept = {line[1:] for line in ignored if line.startswith("!")}
    copied = [rest.split()[:-1] for name, rest in containerfile() if name == "COPY"]
    sources = {one for words in copied if not words[0].startswith("--") for one in words}
    assert "*" in ignored and sources == kept and all((ROOT / one).exists() for one in sources)


def test_answers_stay_without_what_the_image_leaves_out(exports, tmp_path):
    """A copy of OpenVINO, less the files that the Containerfile removes, reads a text as the whole does,
    and leaves nothing in the home of its user, whom it would not ask."""
    (trim,) = (rest for name, rest in containerfile() if name == "ARG" and rest.startswith("TRIM"))
    patterns = shlex.split(trim.partition("=")[2])[0].split()
    whole = Path(pytest.importorskip("openvino").__file__).parent
    gone = {p.name for p in (whole / "libs").iterdir() for one in patterns if p.match(one)}
    assert len(gone) >= 5 and not any("cpu" in name or "_ir_" in name for name in gone)
    shutil.copytree(whole, tmp_path / "openvino", ignore=lambda *_: gone, copy_function=linked)
    code = (
        "import json, sys; from ligero.runtime import Predictor; import openvino\n"
        f"found = Predictor({str(exports['tag'])!r}, threads=1)({TEXT!r})\n"
        "print(json.dumps([openvino.__file__, found]))"
    )
    home = tmp_path / "home"
    home.mkdir()
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "HOME": str(home)}
    said = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True
    ).stdout
    file, found = json.loads(said)
    assert Path(file).is_relative_to(tmp_path) and not list(home.iterdir())
    assert found == Predictor(exports["tag"], threads=1)(TEXT) and found


def linked(source, target):
    """A copy that takes no room where both are on one disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def test_the_unit_of_systemd():
    unit = RawConfigParser(strict=False)
    unit.optionxform = str
    text = (ROOT / "deploy" / "ligero.service").read_text(encoding="utf-8")
    unit.read_string(text.replace("\\\n", " "))
    service = unit["Service"]
    program, *words = service["ExecStart"].split()
    assert program.endswith("/bin/ligero")
    _, config = settings_of(words)
    assert config.host == "127.0.0.1" and config.warm
    assert config.token_file == "%d/" + service["LoadCredential"].split(":")[0]
    assert float(service["TimeoutStopSec"]) > DRAINED
    # OpenVINO writes the machine code that it runs, and workers are spoken to over unix sockets.
    assert "MemoryDenyWriteExecute" not in service
    assert "AF_UNIX" in service["RestrictAddressFamilies"]
    for name in ("DynamicUser", "NoNewPrivileges", "PrivateTmp", "RestrictNamespaces"):
        assert service[name] == "yes"
    assert service["ProtectSystem"] == "strict" and service["MemoryMax"]
    assert service["OOMPolicy"] == "continue"  # the server starts another worker itself


def test_kubernetes():
    text = (ROOT / "deploy" / "kubernetes.yaml").read_text(encoding="utf-8")
    found = {one["kind"]: one for one in yaml.safe_load_all(text)}
    deployment = found["Deployment"]["spec"]
    pod = deployment["template"]["spec"]
    (container,) = pod["containers"]
    folders, config = settings_of(container["args"])
    assert folders == ["/models"] and config.host == "0.0.0.0"
    (port,) = container["ports"]
    assert port["containerPort"] == config.port
    assert int(container["resources"]["requests"]["cpu"]) == config.workers * (config.threads or 0)
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness")}
    assert {p["path"] for p in probes.values()} == {"/ready"}
    alive = container["livenessProbe"]["httpGet"]
    assert alive["path"] == "/health" and alive["port"] == probes["startup"]["port"] == port["name"]
    (pause,) = re.findall(
        r"sleep\((\d+)\)", container["lifecycle"]["preStop"]["exec"]["command"][2]
    )
    assert pod["terminationGracePeriodSeconds"] > int(pause) + DRAINED
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
    # The token is a secret that is mounted where the server looks for it.
    (mount,), (volume,) = container["volumeMounts"], pod["volumes"]
    assert mount["name"] == volume["name"] and "secret" in volume
    assert config.token_file == f"{mount['mountPath']}/token"
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == found["Service"]["spec"]["selector"] == labels
    assert found["Service"]["spec"]["ports"][0]["targetPort"] == port["name"]
    scaled = found["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert scaled["name"] == found["Deployment"]["metadata"]["name"]


def test_compose():
    text = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    service = yaml.safe_load(text)["services"]["ligero"]
    folders, config = settings_of(service["command"])
    (volume,) = service["volumes"]
    assert folders == [volume["target"]] and volume["read_only"] and service["read_only"]
    assert service["ports"][0].endswith(f":{config.port}:{config.port}")
    assert float(service["stop_grace_period"].rstrip("s")) > DRAINED
    assert config.token_file == f"/run/secrets/{service['secrets'][0]}"


def test_the_page_tells_of_settings_and_metrics_that_there_are():
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    known = {option.path[-1].replace("_", "-") for option in options(ServeConfig)}
    told = set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", page))
    others = {"file", "tag", "rm", "read-only", "cap-drop", "publish", "volume", "format", "build-arg",
              "from-literal", "from-file", "export", "now", "image"}  # fmt: skip
    assert told - others <= known, told - others - known
    source = (ROOT / "src/ligero/serve/metrics.py").read_text(encoding="utf-8")
    for name in re.findall(r"\bligero_[a-z_]+", page):
        assert re.sub(r"_(bucket|sum|count)$", "", name) in source, name
    for file in re.findall(r"(?:benchmarks|deploy)/[\w./-]+\.\w+", page):
        assert (ROOT / file).exists(), file


@pytest.fixture(scope="module")
def impatient(exports):
    """A server that lets nobody wait for long."""
    with serving([exports["tag"]], threads=1, wait_ms=20, read_seconds=2) as served:
        yield served.url


def test_under_overload_who_is_accepted_waits_as_long_as_promised(impatient):
    pytest.importorskip("uvloop")
    load = benchmark("load")
    url, bodies = f"{impatient}/models/tag", [json.dumps({"inputs": TEXT})]
    for connections in (4, 24):  # each size of a batch is met once, and takes its time then
        load.offer(load.Order(url, bodies, 0.3, connections))
    full = load.offer(load.Order(url, bodies, 1.5, 200))
    assert set(full["statuses"]) == {"200", "429"}
    assert full["ms"]["429"]["p50"] < full["ms"]["200"]["p50"]
    # Two hundred ask at once, and the queue has room for them all: they would wait for each other.
    assert full["ms"]["200"]["p50"] / 1000 < 0.5 * 200 / full["per_second"]
    assert ask(impatient, "/models/tag", {"inputs": TEXT}).status == 200


def test_whatever_is_malformed_is_refused(impatient):
    malformed = benchmark("malformed")
    place, told = urlsplit(impatient), Counter()
    for name, sent in malformed.requests(5, 6 * len(malformed.KINDS), "/models/tag"):
        with socket.create_connection((place.hostname, place.port), timeout=10) as line:
            with contextlib.suppress(ConnectionError):  # it may have been refused already
                line.sendall(sent)
            heard = line.recv(12)
        assert re.fullmatch(rb"HTTP/1.1 4\d\d", heard), (name, heard)
        told[heard[9:]] += 1
    assert len(told) >= 7, told
    assert ask(impatient, "/models/tag", {"inputs": TEXT}).status == 200
    assert b'status="500"' not in ask(impatient, "/metrics").body


def test_the_same_seed_is_the_same_nonsense():
    malformed = benchmark("malformed")
    first, again = (list(malformed.requests(3, 60, "/")) for _ in "ab")
    assert first == again != list(malformed.requests(4, 60, "/"))
    assert {name for name, _ in first} == {name for name, _ in malformed.KINDS}
