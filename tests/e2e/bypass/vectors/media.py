"""Media, files and embeddings: what no text detector can read must be refused by default."""

from typing import Any

from tests.e2e.bypass.canary import BENIGN, CANARY
from tests.e2e.bypass.vectors.vector import (
    CHAT,
    EMBEDDINGS,
    MESSAGES,
    RESPONSES,
    Body,
    Vector,
    asked,
    message,
    refused,
    respond,
    text,
    unread,
    user,
)

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)
EMBEDS: Body = {"type": "prompt_embeds", "data": "gAR9lC4="}
FIRST_PART, FIRST_TYPE = "messages.0.content.0", "messages.0.content.0.type"

# Part -> the field that the refusal must name.
CHAT_PARTS: dict[str, tuple[Body, str]] = {
    "image in the request": (
        {"type": "image_url", "image_url": {"url": PIXEL, "detail": CANARY}},
        FIRST_PART,
    ),
    "image elsewhere": (
        {"type": "image_url", "image_url": {"url": "http://127.0.0.1:9/a.png"}},
        FIRST_PART,
    ),
    "image as a string": ({"type": "image_url", "image_url": PIXEL}, FIRST_PART),
    "image of a file": (
        {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
        FIRST_PART,
    ),
    "audio in the request": (
        {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
        FIRST_PART,
    ),
    "audio elsewhere": (
        {"type": "audio_url", "audio_url": {"url": "http://127.0.0.1:9/a.wav"}},
        FIRST_PART,
    ),
    "video elsewhere": (
        {"type": "video_url", "video_url": {"url": "http://127.0.0.1:9/a.mp4"}},
        FIRST_PART,
    ),
    "file": ({"type": "file", "file": {"file_data": CANARY, "filename": CANARY}}, FIRST_TYPE),
    "file by id": ({"type": "file", "file": {"file_id": "file-1"}}, FIRST_TYPE),
    "embeddings of an image": ({"type": "image_embeds", "image_embeds": "gAR9"}, FIRST_TYPE),
    "embeddings of audio": ({"type": "audio_embeds", "audio_embeds": "gAR9"}, FIRST_TYPE),
    "picture object": ({"type": "image_pil", "image_pil": CANARY}, FIRST_TYPE),
    "reasoning part": ({"type": "thinking", "thinking": CANARY}, FIRST_TYPE),
    "part of Responses": ({"type": "input_text", "text": CANARY}, FIRST_TYPE),
    "part without a type": ({"text": CANARY}, FIRST_TYPE),
    "part whose type is a list": ({"type": ["text"], "text": CANARY}, FIRST_TYPE),
    "part with a type in capitals": ({"type": "Text", "text": CANARY}, FIRST_TYPE),
    "text of a part a list": ({"type": "text", "text": [CANARY]}, f"{FIRST_PART}.text"),
    "text of a part an object": (
        {"type": "text", "text": {"value": CANARY}},
        f"{FIRST_PART}.text",
    ),
    "part a number": (5, FIRST_PART),  # type: ignore[dict-item]
    "part a list": ([CANARY], FIRST_PART),  # type: ignore[dict-item]
}
CHAT_MEDIA = (
    unread("text part with an image", CHAT, asked({**text(BENIGN), "image_url": {"url": PIXEL}})),
    unread("text part with embeddings", CHAT, asked({**text(BENIGN), "data": "gAR9"})),
    *(refused(name, CHAT, asked(part), param) for name, (part, param) in CHAT_PARTS.items()),
    *(
        refused(f"embeddings as {role}", CHAT, asked(EMBEDS, role=role), FIRST_TYPE)
        for role in ("system", "developer", "user", "assistant", "tool")
    ),
    refused(
        "embeddings behind a text", CHAT, asked(text(BENIGN), EMBEDS), "messages.0.content.1.type"
    ),
    refused(
        "image in an embedding request",
        EMBEDDINGS,
        {"model": "demo", "messages": [user([{"type": "image_url", "image_url": {"url": PIXEL}}])]},
        FIRST_PART,
    ),
)


def shown(**part: Any) -> Body:
    return respond([{"role": "user", "content": [part]}])


def pictured(**source: str) -> Body:
    return message(user([{"type": "image", "source": source}]))


OTHERS = (
    refused(
        "input_image", RESPONSES, shown(type="input_image", image_url=PIXEL), "input.0.content.0"
    ),
    refused(
        "input_image elsewhere",
        RESPONSES,
        shown(type="input_image", image_url="http://127.0.0.1:9/a.png"),
        "input.0.content.0",
    ),
    refused(
        "input_image by id",
        RESPONSES,
        shown(type="input_image", file_id="file-1"),
        "input.0.content.0.file_id",
    ),
    refused(
        "input_audio",
        RESPONSES,
        shown(type="input_audio", input_audio={"data": "", "format": "wav"}),
        "input.0.content.0",
    ),
    refused(
        "input_file",
        RESPONSES,
        shown(type="input_file", file_data=CANARY),
        "input.0.content.0.type",
    ),
    refused(
        "picture of a computer",
        RESPONSES,
        respond([{"type": "computer_call_output", "call_id": "c", "output": {"image_url": PIXEL}}]),
        "input.0.type",
    ),
    refused(
        "picture as output of a call",
        RESPONSES,
        respond(
            [
                {
                    "type": "function_call_output",
                    "call_id": "c",
                    "output": [{"type": "input_image", "image_url": PIXEL}],
                }
            ]
        ),
        "input.0.output.0",
    ),
    refused(
        "image",
        MESSAGES,
        pictured(type="base64", media_type="image/png", data="iVBORw0="),
        FIRST_PART,
    ),
    refused(
        "image elsewhere", MESSAGES, pictured(type="url", url="http://127.0.0.1:9/a"), FIRST_PART
    ),
    refused("image by id", MESSAGES, pictured(type="file", file_id="file_1"), FIRST_PART),
    refused(
        "image in a tool's result",
        MESSAGES,
        message(
            user(
                [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t",
                        "content": [{"type": "image", "source": {"type": "url", "url": PIXEL}}],
                    }
                ]
            )
        ),
        "messages.0.content.0.content.0",
    ),
)
VECTORS: tuple[Vector, ...] = (*CHAT_MEDIA, *OTHERS)
