"""Readers keep places: what they say stands somewhere stands there; broken and hostile texts do not stop them."""

from __future__ import annotations

import json
import re

import pytest

from jumar.port.document import Document, Unparsed
from jumar.port.reading import (
    cmake_calls,
    dockerfile_steps,
    hcl_settings,
    json_entries,
    native_source,
    requirement_lines,
    roles,
    scripts,
    shell_words,
    toml_strings,
    yaml_entries,
)
from jumar.port.reading.comments import without_comments

YAML = """\
# first
a: &x
  - nvidia.com/gpu: "1"  # why
  - {b: 2, c: [3, 'vier']}
  - *x
s: |
  ls
  nvidia-smi
---
second: ja
"""


def _yaml(text: str) -> list[tuple[str, str]]:
    document = Document("a.yaml", text)
    return [
        (".".join(entry.path), text[slice(*entry.inner(text))])
        for entry in yaml_entries.entries(document)
        if entry.value is not None
    ]


def test_yaml_values_stand_where_they_are_said_to() -> None:
    assert _yaml(YAML) == [
        ("a.0.nvidia.com/gpu", "1"),
        ("a.1.b", "2"),
        ("a.1.c.0", "3"),
        ("a.1.c.1", "vier"),
        ("s", "|\n  ls\n  nvidia-smi\n"),
        ("second", "ja"),
    ]


def test_yaml_keys_stand_where_they_are_said_to() -> None:
    document = Document("a.yaml", YAML)
    for entry in yaml_entries.entries(document):
        if not entry.is_item:
            assert YAML[entry.key_start : entry.key_end].strip("'\"") == entry.key


def test_helm_templates_are_read_around_their_actions() -> None:
    text = "{{- if .Values.gpu }}\nlimits:\n  nvidia.com/gpu: {{ .Values.gpu | quote }}\n{{- end }}\n"
    assert _yaml(text) == [("limits.nvidia.com/gpu", "{{ .Values.gpu | quote }}")]


def test_what_is_no_yaml_is_read_line_by_line() -> None:
    text = "a:\n  b: {{ if x }}1{{ else }}\n  nvidia.com/gpu: 1\n }}: [\n"
    assert ("a.nvidia.com/gpu", "1") in _yaml(text)


def test_a_yaml_bomb_is_not_unfolded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    assert len(yaml_entries.entries(Document("bomb.yaml", "\n".join(lines)))) < 1000


@pytest.mark.parametrize("depth", [100, 5_000])
def test_deep_nesting_ends(depth: int) -> None:
    yaml_entries.entries(Document("deep.yaml", "[" * depth))
    nested = Document("deep.json", "[" * depth + "1" + "]" * depth)
    if depth < json_entries.DEEPEST:
        assert json_entries.entries(nested)
    else:
        with pytest.raises(Unparsed, match="too deeply"):
            json_entries.entries(nested)
    native_source.source(Document("deep.cu", "int f() {" + "(" * depth))


def test_json_with_comments_and_escapes() -> None:
    text = '{"a": ["b\\"c", 1], /* x */ "d": null} // end'
    found = {
        ".".join(entry.path): text[entry.start : entry.end]
        for entry in json_entries.entries(Document("a.json", text))
    }
    assert found == {"a": '["b\\"c", 1]', "a.0": '"b\\"c"', "a.1": "1", "d": "null"}


@pytest.mark.parametrize("text", ['{"a": ', "]", '{"a": @}'])
def test_what_is_no_json_is_said(text: str) -> None:
    with pytest.raises(Unparsed):
        json_entries.entries(Document("a.json", text))


def test_json_agrees_with_the_standard_library() -> None:
    value = {"x": [1, 2.5, "drei", {"y": None, "z": True}], "ü": "\n\t\\"}
    text = json.dumps(value, indent=2)
    for entry in json_entries.entries(Document("a.json", text)):
        if entry.value is not None and entry.quoted:
            assert json.loads(text[entry.start : entry.end]) == entry.value


SHELL = """\
export A=1 B="zwei drei"  # NCCL_DEBUG
x=$(nvidia-smi -L | wc -l) && CUDA_VISIBLE_DEVICES=0 \\
  python -c 'import a; b' --c "d e"
if [ -z "$A" ]; then bash -c "nvcc -V; ls"; fi
"""


def test_shell_commands_and_places() -> None:
    found = [*shell_words.commands(SHELL)]
    names = [command.name for command in found]
    for name in ("export", "nvidia-smi", "wc", "python", "bash", "nvcc", "ls"):
        assert name in names
    for command in found:
        for word in (*command.settings, *command.words):
            assert SHELL[word.start : word.end] == word.text
    python = found[names.index("python")]
    assert [word.text for word in python.settings] == ["CUDA_VISIBLE_DEVICES=0"]


def test_shell_commands_of_other_files() -> None:
    workflow = "jobs:\n  a:\n    steps:\n    - run: |\n        nvidia-smi\n    - name: nvidia-smi\n"
    texts = {
        "Dockerfile": 'FROM x\nRUN a && \\\n  # why\n  nvidia-smi\nCMD ["nvidia-smi", "-L"]\n',
        ".github/workflows/a.yml": workflow,
        "Makefile": "all:\n\t@nvidia-smi\n",
        "README.md": "text nvidia-smi\n\n```bash\n$ nvidia-smi\n```\n",
        "a.rst": "Run::\n\n    nvidia-smi\n\nnvidia-smi\n",
        "Jenkinsfile": "sh 'nvidia-smi'\n",
    }
    counts = {}
    for path, text in texts.items():
        document = Document(path, text)
        found = [one for one in scripts.script_commands(document) if one.name == "nvidia-smi"]
        counts[path] = len(found)
        for command in found:
            word = command.name_word
            assert word and text[word.start : word.end] == "nvidia-smi"
    assert counts == {path: 2 if path == "Dockerfile" else 1 for path in texts}


def test_dockerfile_steps() -> None:
    text = "# x\nFROM a AS b\nRUN <<EOF\nls\nEOF\nENV A=1 \\\n  B=2\n"
    steps = dockerfile_steps.steps(Document("Dockerfile", text))
    assert [(step.word, text[step.body_start : step.end]) for step in steps] == [
        ("FROM", "a AS b"),
        ("RUN", "<<EOF\nls\nEOF"),
        ("ENV", "A=1 \\\n  B=2"),
    ]


def test_cmake_calls() -> None:
    text = 'project(a LANGUAGES CXX CUDA) # (\nif(A AND (B))\nset(x "a (b")\n#[[ enable_language(CUDA) ]]\n'
    calls = cmake_calls.calls(Document("CMakeLists.txt", text))
    assert [call.name for call in calls] == ["project", "if", "set"]
    assert calls[0].has("CUDA")


def test_toml_strings() -> None:
    text = '[project]\ndependencies = [\n  "a>=1", # x\n  \'b\',\n]\n[tool.x]\ny = {z = "w"}\n'
    found = [
        (one.table, one.key, one.value)
        for one in toml_strings.texts(Document("a.toml", text))
        if not one.is_key
    ]
    assert found == [
        ("project", "dependencies", "a>=1"),
        ("project", "dependencies", "b"),
        ("tool.x", "y", "w"),
    ]


def test_requirements() -> None:
    text = (
        "-r base.txt\nFlash_Attn[x]>=2 ; python_version > '3' # c\n# no\nhttps://x/y.whl\ntorch @ https://z\n"
    )
    found = requirement_lines.requirements(Document("requirements.txt", text))
    assert [(one.name, text[one.name_start : one.name_end]) for one in found] == [
        ("flash-attn", "Flash_Attn"),
        ("torch", "torch"),
    ]


def test_terraform_settings() -> None:
    text = 'resource "a" "b" {\n  type = "p4d.24xlarge" # x\n  list = [\n    "c",\n  ]\n}\nd = 1\n'
    found = [(one.blocks, one.key, one.value) for one in hcl_settings.settings(Document("a.tf", text))]
    assert found == [
        (("resource a b",), "type", "p4d.24xlarge"),
        (("resource a b", "list"), "", "c"),
        ((), "d", "1"),
    ]


def test_native_places_count_characters() -> None:
    text = '// ä\nconst char *s = "cudaFree(ü)";\nvoid f() { cudaFree(0); }\n'
    source = native_source.source(Document("a.cu", text))
    found = [match.start() for match in source.words(re.compile("cudaFree"))]
    assert found == [text.index("cudaFree(0)")]


def test_comments_are_blank_and_as_long() -> None:
    text = 'a: 1 # cuda\nb: "# cuda"\n# cuda\n'
    blank = without_comments(Document("a.yaml", text))
    assert len(blank) == len(text)
    assert blank.count("cuda") == 1


@pytest.mark.parametrize(
    ("path", "text", "role"),
    [
        ("compose.yaml", "services:\n  a:\n    image: b\n", roles.is_compose),
        ("a/pod.yaml", "apiVersion: v1\nkind: Pod\n", roles.is_kubernetes),
        (".github/workflows/x.yml", "jobs: {}\n", roles.is_ci),
        ("environment.yml", "channels: [a]\ndependencies: [b]\n", roles.is_conda),
        ("roles/gpu/tasks/main.yml", "- name: a\n", roles.is_ansible),
        ("chart/values-gpu.yaml", "a: 1\n", roles.is_helm_values),
    ],
)
def test_roles(path: str, text: str, role: object) -> None:
    assert role(Document(path, text))  # type: ignore[operator]
