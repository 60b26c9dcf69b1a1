"""The page's API, driven over HTTP and MCP by real clients, against what the library computes."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import gradio as gr
import httpx
import numpy as np
import pytest
import soundfile
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from app import api
from model import Edit, Recipe, Sim, operations
from model.__main__ import main
from model.audio import to_int16

RECIPE = {"depth": 1, "source": "posterior", "seed": 4, "edits": [{"dimension": 3, "shift": 2.0, "start_s": 0.1}]}
NAMES = ["encode", "decode", "traverse", "interpolate", "explain"]


@pytest.fixture(scope="module")
def page(small_sim: Sim, tmp_path_factory: pytest.TempPathFactory):
    """A running page with nothing but the API and one private event."""

    def sim_of(name: str) -> Sim:
        if name != "speech":
            raise ValueError(f"There is no model {name!r} here; choose speech.")
        return small_sim

    with pytest.MonkeyPatch.context() as patch, socket.socket() as probe:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("cache")))
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        with gr.Blocks(analytics_enabled=False) as page:
            page.load(lambda: None, api_visibility="private")
            api.build(sim_of)
        page.launch(server_port=port, prevent_thread_lock=True, quiet=True, ssr_mode=False, mcp_server=True)
        yield page
        page.close()


@pytest.fixture(scope="module")
def url(page: gr.Blocks) -> str:
    return page.local_url


@pytest.fixture(scope="module")
def client(url: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(url, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))


@pytest.fixture
def clip(tone) -> Path:
    return tone("clip.wav", 0.3)


@pytest.fixture
def other(tone) -> Path:
    return tone("other.wav", 0.2)


def samples(path: str | Path) -> np.ndarray:
    return soundfile.read(path, dtype="int16")[0]


def command_line(small_checkpoint: Path, folder: Path, *arguments: object) -> list[Path]:
    """What the same operation writes from the command line."""
    main([*map(str, arguments), "--checkpoint", str(small_checkpoint), "--out", str(folder)])
    return sorted(folder.iterdir())


def test_only_the_operations_are_public(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)
    assert list(endpoints["named_endpoints"]) == [f"/{name}" for name in NAMES]
    assert not endpoints["unnamed_endpoints"]


def test_encode(client: Client, small_sim: Sim, small_checkpoint: Path, clip: Path, tmp_path: Path) -> None:
    answer = np.load(client.predict(handle_file(clip), api_name="/encode"))
    (written,) = command_line(small_checkpoint, tmp_path / "out", "encode", clip)
    expected = operations.encode(small_sim, clip)
    assert answer.files == np.load(written).files == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(answer[name], array)
        np.testing.assert_array_equal(np.load(written)[name], array)


def test_decode(client: Client, small_sim: Sim, small_checkpoint: Path, clip: Path, tmp_path: Path) -> None:
    answer = client.predict(handle_file(clip), json.dumps(RECIPE), api_name="/decode")
    assert Path(answer).name == "clip-depth-1-edited.wav"
    (tmp_path / "edit.json").write_text(json.dumps(RECIPE))
    (written,) = command_line(small_checkpoint, tmp_path / "out", "decode", clip, "--edits", tmp_path / "edit.json")
    expected = operations.decode(small_sim, clip, Recipe(1, (Edit(3, 2.0, 0.1),), "posterior", seed=4))
    np.testing.assert_array_equal(samples(answer), to_int16(expected)[0])
    np.testing.assert_array_equal(samples(written), to_int16(expected)[0])


def test_traverse(client: Client, small_sim: Sim, small_checkpoint: Path, clip: Path, tmp_path: Path) -> None:
    answer = client.predict(handle_file(clip), 8, values=[0.5, 2], api_name="/traverse")
    options = ("--dimension", 8, "--values", 0.5, 2)
    written = command_line(small_checkpoint, tmp_path / "out", "traverse", clip, *options)
    expected = operations.traverse(small_sim, clip, 2, 8, [0.5, 2])
    assert len(answer) == len(written) == 2
    for one, other, waveform in zip(answer, written, expected, strict=True):
        np.testing.assert_array_equal(samples(one), to_int16(waveform)[0])
        np.testing.assert_array_equal(samples(other), to_int16(waveform)[0])


def test_interpolate(
    client: Client, small_sim: Sim, small_checkpoint: Path, clip: Path, other: Path, tmp_path: Path
) -> None:
    answer = client.predict(handle_file(clip), handle_file(other), steps=3, dimensions=4, api_name="/interpolate")
    options = ("--steps", 3, "--dimensions", 4)
    written = command_line(small_checkpoint, tmp_path / "out", "interpolate", clip, other, *options)
    expected = operations.interpolate(small_sim, clip, other, 2, 3, 4)
    for one, another, waveform in zip(answer, written, expected, strict=True):
        np.testing.assert_array_equal(samples(one), to_int16(waveform)[0])
        np.testing.assert_array_equal(samples(another), to_int16(waveform)[0])


def test_explain(client: Client, small_checkpoint: Path, clip: Path, tmp_path: Path) -> None:
    answer = client.predict(handle_file(clip), 1, "relax-time", start_s=0.1, dimension=2, api_name="/explain")
    options = ("--depth", 1, "--lens", "relax-time", "--start", 0.1, "--dimension", 2)
    written = command_line(small_checkpoint, tmp_path / "out", "explain", clip, *options)
    *sounds, numbers = sorted(answer, key=lambda path: Path(path).name)
    *other_sounds, other_numbers = written
    for name, array in np.load(numbers).items():
        np.testing.assert_array_equal(array, np.load(other_numbers)[name])
    for one, another in zip(sounds, other_sounds, strict=True):
        np.testing.assert_array_equal(samples(one), samples(another))


def test_results_are_deleted_with_the_rest_of_the_cache(client: Client, page: gr.Blocks, clip: Path) -> None:
    client.predict(handle_file(clip), 0, depth=0, values=[0], api_name="/traverse")
    cached = [Path(path) for files in page.temp_file_sets for path in files]
    assert "clip-depth-0-dimension-0-sigma-+0.0.wav" in [path.name for path in cached if path.is_file()]


@pytest.mark.parametrize(
    "name, arguments, sentence",
    [
        ("encode", {"depth": 9}, "Depth 9 does not exist; choose one of 0 to 2."),
        ("encode", {"depth": "deep"}, "depth cannot be used: Input should be a valid integer"),
        ("encode", {"checkpoint": "/etc"}, "There is no model '/etc' here; choose speech."),
        ("decode", {"edits": "{"}, "The edits are not JSON text"),
        ("decode", {"edits": "[]"}, "An edit file holds one JSON object, got list."),
        ("decode", {"edits": '{"depth": 7}'}, "The depth is 7; it must be a whole number from 0 to 2."),
        ("traverse", {"dimension": 99}, "Dimension 99 does not exist at depth 2; choose one of 0 to 11."),
        ("traverse", {"dimension": 0, "values": [0] * 33}, "33 sounds are too many for one call; ask for at most 32."),
        ("traverse", {"dimension": 0, "values": ["a"]}, "values cannot be used: Input should be a valid number"),
    ],
)
def test_bad_input_gets_a_sentence(
    client: Client, clip: Path, name: str, arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(AppError) as refusal:
        client.predict(clip=handle_file(clip), **arguments, api_name=f"/{name}")
    assert sentence in str(refusal.value)


def test_a_file_that_is_no_audio_is_refused(client: Client, tmp_path: Path) -> None:
    (tmp_path / "words.wav").write_text("no sound at all")
    with pytest.raises(AppError, match="words.wav could not be read as audio|words.wav is not a WAV"):
        client.predict(handle_file(tmp_path / "words.wav"), api_name="/encode")


def ask(url: str, clip: object) -> str:
    """What a caller gets who sends JSON without uploading anything."""
    endpoint = f"{url}gradio_api/call/encode"
    event = httpx.post(endpoint, json={"data": [clip, None, "speech"]}).json()["event_id"]
    return httpx.get(f"{endpoint}/{event}").text


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("path", ["/etc/passwd", "tests/../requirements.txt", "http:/../etc/passwd"])
def test_only_files_that_gradio_received_are_opened(url: str, path: str, marked: bool) -> None:
    meta = {"meta": {"_type": "gradio.FileData"}} if marked else {}
    answer = ask(url, {"path": path, **meta})
    assert answer.startswith("event: error") and "passwd:" not in answer
    if not marked:  # Gradio itself looks only at what is marked as a file.
        assert "A clip must be a file that was sent to this server" in answer


def test_a_clip_that_is_no_file_gets_a_sentence(url: str) -> None:
    assert "clip cannot be used" in ask(url, "clip.wav")


@asynccontextmanager
async def mcp_session(url: str) -> AsyncIterator[ClientSession]:
    async with (
        streamable_http_client(f"{url}gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


def test_the_same_operations_are_mcp_tools(url: str, small_sim: Sim, clip: Path, tmp_path: Path) -> None:
    data = "data:audio/wav;base64," + base64.b64encode(clip.read_bytes()).decode()

    async def list_and_call():
        async with mcp_session(url) as session:
            listed = await session.list_tools()
            return listed.tools, await session.call_tool("decode", {"clip": data, "edits": json.dumps(RECIPE)})

    tools, called = asyncio.run(list_and_call())
    assert [tool.name for tool in tools] == NAMES
    for tool in tools:
        assert tool.description and all(about["description"] for about in tool.inputSchema["properties"].values())
    assert not called.isError
    (tmp_path / "answer.wav").write_bytes(httpx.get(called.content[0].text).content)
    expected = operations.decode(small_sim, clip, Recipe(1, (Edit(3, 2.0, 0.1),), "posterior", seed=4))
    np.testing.assert_array_equal(samples(tmp_path / "answer.wav"), to_int16(expected)[0])


def test_no_mcp_argument_fetches_a_file_of_the_server(url: str, page: gr.Blocks) -> None:
    """Gradio's MCP server takes the path inside any JSON object for a file of its own and puts it into the cache."""
    valid = {"clip": "http://x", "clip_a": "http://x", "clip_b": "http://x", "edits": "{}", "dimension": 0}
    hidden = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}

    async def try_all():
        async with mcp_session(url) as session:
            return [
                await session.call_tool(
                    tool.name, {**{needed: valid[needed] for needed in tool.inputSchema["required"]}, name: value}
                )
                for tool in (await session.list_tools()).tools
                for name in tool.inputSchema["properties"]
                for value in (hidden, [hidden])
            ]

    for answer in asyncio.run(try_all()):
        assert answer.isError and answer.content[0].text.startswith("Input validation error")
    assert not list(Path(page.GRADIO_CACHE).rglob("passwd"))
