// The AI SDK over one of its providers: three turns, a stream, a tool call.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText, tool } from "ai";
import { z } from "zod";

const [root, key, model, route] = process.argv.slice(2);
const given = { baseURL: `${root}/v1`, apiKey: key, name: "here" };
const chosen = {
  "/v1/chat/completions": () => createOpenAICompatible(given)(model),
  "/v1/responses": () => createOpenAI(given).responses(model),
  "/v1/messages": () => createAnthropic(given)(model),
}[route]();
const common = { model: chosen, temperature: 0, maxOutputTokens: 100, maxRetries: 0 };
// By default OpenAI keeps the turns and is sent references to them; vLLM refuses those.
common.providerOptions = { openai: { store: false } };

const messages = [];
for (const content of ["Where was the author born?", "And who is it?", "Thank you."]) {
  messages.push({ role: "user", content });
  const answer = await generateText({ ...common, messages });
  messages.push(...answer.response.messages);
}
const streamed = streamText({ ...common, messages: messages.slice(0, 1) });
let text = "";
for await (const piece of streamed.textStream) text += piece;
if (!text) throw new Error("nothing came");
const weather = tool({
  description: "Look up the weather.",
  inputSchema: z.object({ city: z.enum(["Ulm", "Bonn"]) }),
  execute: async () => "21 degrees",
});
const called = await generateText({
  ...common,
  messages: messages.slice(0, 1),
  tools: { weather },
  toolChoice: { type: "tool", toolName: "weather" },
});
if (called.toolCalls[0].toolName !== "weather") throw new Error("no call");
