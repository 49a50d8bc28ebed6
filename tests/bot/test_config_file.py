"""A configuration that cannot be used says where and what to write instead."""

from datetime import timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bot.config_file import BadConfiguration, settings_of
from bot.settings import Settings, schema
from bot.store_settings import SqliteSettings, WeaviateSettings
from connectors.errors import Misconfigured

WHOLE = """
data_dir: state
sources:
  handbook: {type: git, url: "https://github.com/acme/handbook.git", branch: main, include: ["docs/**"], every: 10m,
             auth: {kind: token, token_env: GIT_TOKEN}}
  wiki: {type: confluence, url: "https://acme.atlassian.net/wiki", spaces: [ENG], every: 15m, refresh: 1m,
         auth: {kind: cloud_basic, email: bot@acme.com, token_env: WIKI_TOKEN}}
knowledge_bases:
  engineering: {sources: [handbook, wiki]}
channels:
  C0123ABCD: {knowledge_base: engineering}
direct_messages: {knowledge_base: engineering}
slack: {mode: http, command: /ask, admins: [U0123ABCD]}
web: {host: 127.0.0.1, port: 0}
keep_words: 0
"""


WIKI = "{{type: confluence, url: '{url}', auth: {{kind: cloud_basic, email: a@b.example, token_env: T}}}}"


HERE = "url: http://127.0.0.1:8080"
BAD_WEAVIATE = (
    ("url: weaviate:8080", "store.url: The address of a Weaviate node begins with http:// or https://"),
    ("url: 8080", "store.url: must be an address, or a list"),
    ("url: []", "store.url: There is no node"),
    ("url: [http://127.0.0.1:8080, http://127.0.0.1:8080/]", "store.url: A node is there twice"),
    ("url: http://me:secret@127.0.0.1:8080", "store.url: Take the credentials out of the address"),
    ("url: http://127.0.0.1:8080/v1", "store.url: The address of 127.0.0.1 must end after host and port"),
    ("url: http://127.0.0.1:8080?a=b", "store.url: The address of 127.0.0.1 must end after host and port"),
    ("url: http://127.0.0.1:99999", "store.url: This is not an address"),
    ("url: http://[::1", "store.url: This is not an address"),
    ("url: [embedded, http://127.0.0.1:8080]", "store.url: embedded stands alone"),
    ("url: http://weaviate.acme.example:8080", "store.url: http://weaviate.acme.example:8080 would send the key"),
    (
        "grpc_url: elsewhere.example:50051\n  url: http://127.0.0.1:8080",
        "store.grpc_url: elsewhere.example:50051 would send the key",
    ),
    (f"grpc_url: [a, b]\n  {HERE}", "store.grpc_url: There are 1 nodes and 2 gRPC addresses"),
    (f"grpc_url: ftp://a\n  {HERE}", "store.grpc_url: A gRPC address is a host and a port"),
    (f"api_key_env: a key\n  {HERE}", "store.api_key_env: "),
    (f"replicas: 0\n  {HERE}", "store.replicas: "),
    (f"consistency: most\n  {HERE}", "store.consistency: "),
    (f"collection: quoth\n  {HERE}", "store.collection: "),
    (f"replica: 3\n  {HERE}", "did you mean “replicas”?"),
    ("replicas: 3\n  url: embedded", "store.replicas: an embedded Weaviate is one node"),
    ("grpc_url: 127.0.0.1:50051\n  url: embedded", "store.grpc_url: an embedded Weaviate chooses this itself"),
    ("api_key_env: KEY\n  url: embedded", "store.api_key_env: an embedded Weaviate chooses this itself"),
)


def written(folder: Path, text: str) -> Path:
    path = folder / "quoth.yaml"
    path.write_text(text)
    return path


def test_the_whole_contract_is_understood(tmp_path: Path) -> None:
    settings = settings_of(written(tmp_path, WHOLE))

    assert settings.sources["wiki"].refresh == timedelta(minutes=1)
    assert settings.tags_of("engineering") == {"source:handbook", "source:wiki"}
    assert settings.channels["C0123ABCD"].knowledge_base == "engineering"
    assert settings.keep_words == timedelta(0)
    assert settings.slack.reindex_command == "/reindex"


@pytest.mark.parametrize("text", ["", "{}", "sources:\nknowledge_bases:\nchannels:\n", '{"sources": {}}'])
def test_an_empty_configuration_is_valid(tmp_path: Path, text: str) -> None:
    assert settings_of(written(tmp_path, text)).sources == {}


def test_relative_paths_start_at_the_files_folder(tmp_path: Path) -> None:
    settings = settings_of(written(tmp_path, "sources: {docs: {type: git, url: ../docs}}"))

    assert settings.data_dir == tmp_path / ".quoth"
    assert settings.source("docs").url == str(tmp_path / "../docs")


@pytest.mark.parametrize("url", ["git@github.com:acme/docs.git", "https://github.com/acme/docs", "file:///srv/docs"])
def test_urls_are_left_as_they_are(tmp_path: Path, url: str) -> None:
    assert settings_of(written(tmp_path, f"sources: {{docs: {{type: git, url: '{url}'}}}}")).source("docs").url == url


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("sources:\n  a: {type: git, url: b, every: ten minutes}", 2, "sources.a.every: is not a duration"),
        ("sources:\n  a: {type: git, url: b, every: [10m]}", 2, "sources.a.every: is not a duration"),
        ("keep_words: 99999999999d", 1, "keep_words: is not a duration"),
        ("keep_words: 999999d", 1, "keep_words: is longer than a century"),
        ("keep_word: 0", 1, "did you mean “keep_words”?"),
        ("\nchannels:\n  general: {knowledge_base: x}", 3, "channels.general: is not a channel id"),
        ("sources:\n  a: {type: svn, url: b}", 2, "sources.a: has an unknown type"),
        ("sources:\n  a: {type: git}", 2, "sources.a.url: is missing"),
        ("knowledge_bases:\n  eng: {sources: [wiki]}", 2, "no source called “wiki”"),
        ("channels:\n  C0123ABCD: {knowledge_base: eng}", 2, "no knowledge base called “eng”"),
        ("direct_messages: {}", 1, "needs either knowledge_base or member_channels"),
        ("model: quotes\nmodel: auto", 2, "model: is there twice"),
        ("sources:\n  a: {type: git, url: 'ext::sh -c id'}", 2, "sources.a: Remote helpers such as ext::"),
        ("sources:\n  a: {type: git, url: 'http://github.com/a/b'}", 2, "would send everything unencrypted"),
        ("sources:\n  a: {type: git, url: b, branch: -x}", 2, "sources.a: branch: this is not the name of a branch"),
        ("sources:\n  a: {type: git, url: b, links: 'https://x/{nope}'}", 2, "sources.a: links: needs {path}"),
        (f"sources:\n  a: {WIKI.format(url='acme.atlassian.net')}", 2, "must be written as https://host/path"),
        (f"sources:\n  a: {WIKI.format(url='http://acme.example/wiki')}", 2, "would send the token unprotected"),
        ("sources: [", 1, "line 1"),
        ("a: &a [*a]", None, "not YAML or JSON"),
        ("- a", 1, "must hold settings"),
        ("\n? [a]\n: b", 2, "a name must be plain text"),
        ("sources: []", 1, "sources: must hold names with their settings"),
        ("sources: {a: 3}", 1, "sources.a: must hold settings"),
        ("web: 3000", 1, "web: must hold settings"),
        ("slack: {admins: U0123ABCD}", 1, "slack.admins: must be a list"),
        ("sources:\n  git: {type: git}", 2, "sources.git.url: is missing"),
        ("store: weaviate", 1, "store: must hold settings"),
        ("store: {backend: chroma}", 1, "store: has an unknown backend; write sqlite or weaviate"),
        ("store:\n  url: http://127.0.0.1:8080", 2, "store.url: needs backend: weaviate beside it"),
        ("store:\n  backend: weaviate", 1, "store.url: is missing"),
        *((f"store:\n  backend: weaviate\n  {text}", 3, said) for text, said in BAD_WEAVIATE),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, line: int | None, said: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        settings_of(written(tmp_path, text))

    assert caught.value.complaints[0].line == line
    assert said in str(caught.value)


@pytest.mark.parametrize(("text", "nodes"), [
    (HERE, [("http://127.0.0.1:8080", "127.0.0.1:50051")]),
    ("url: http://localhost/", [("http://localhost", "localhost:50051")]),
    ("url: https://kb.acme.example\n  grpc_url: grpc.acme.example:443",
     [("https://kb.acme.example", "grpc.acme.example:443")]),
    ("url: 'http://[::1]:8080'\n  grpc_url: http://localhost:50061", [("http://[::1]:8080", "grpc://localhost:50061")]),
    ("url: [http://a:8080, http://b:8080]\n  grpc_url: [a:1, https://b:2]\n  allow_plain_http: true",
     [("http://a:8080", "a:1"), ("http://b:8080", "grpcs://b:2")]),
    ("url: embedded", []),
])  # fmt: skip
def test_the_addresses_of_a_weaviate_are_understood(tmp_path: Path, text: str, nodes: list[tuple[str, str]]) -> None:
    store = settings_of(written(tmp_path, f"store:\n  backend: weaviate\n  {text}")).store

    assert isinstance(store, WeaviateSettings)
    assert [(node.http, node.grpc) for node in store.nodes] == nodes
    assert WeaviateSettings.model_validate(store.model_dump(mode="json")) == store


@pytest.mark.parametrize("text", ["store:", "store: {}", "store: {backend: sqlite}", ""])
def test_chunks_are_kept_in_a_file_unless_another_store_is_named(tmp_path: Path, text: str) -> None:
    assert settings_of(written(tmp_path, text)).store == SqliteSettings()


def test_the_schema_takes_what_the_check_takes() -> None:
    validator = Draft202012Validator(schema())

    assert validator.is_valid({"store": {"backend": "weaviate", "url": ["https://a", "https://b"], "replicas": 2}})
    assert validator.is_valid({"store": {}})
    assert not validator.is_valid({"store": {"backend": "weaviate"}})
    assert not validator.is_valid({"store": {"backend": "chroma"}})


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration) as caught:
        settings_of(written(tmp_path, "keep_word: 0\nmodell: auto\nweb: {port: 99999}"))

    assert [complaint.line for complaint in caught.value.complaints] == [3, 1, 2]


def test_a_missing_file_says_where_to_start(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"deploy/quoth\.example\.yaml"):
        settings_of(tmp_path / "nowhere.yaml")


def test_an_unknown_knowledge_base_is_named_with_the_known_ones() -> None:
    with pytest.raises(Misconfigured, match=r"“hr”.*Known: none yet"):
        Settings().tags_of("hr")


def test_the_schema_knows_every_section() -> None:
    assert set(Settings.model_fields) == set(schema()["properties"])
