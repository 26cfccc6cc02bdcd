// The openai package of npm: answers, streams, responses, and what it throws; prints one JSON object.
import OpenAI from "openai";

const [root, politeRoot, key, model, blocked] = process.argv.slice(2);
const question = [{ role: "user", content: "Where was the author born?" }];
const refusable = [{ role: "user", content: blocked }];
const sampling = { model, max_tokens: 8, temperature: 0 };

const open = (address, apiKey) =>
  new OpenAI({ baseURL: `${address}/v1`, apiKey, maxRetries: 0 });
const client = open(root, key);
const polite = open(politeRoot, key);

async function joined(from, request) {
  let text = "";
  let reason = null;
  for await (const chunk of await from.chat.completions.create({ ...request, stream: true })) {
    text += chunk.choices[0]?.delta.content ?? "";
    reason = chunk.choices[0]?.finish_reason ?? reason;
  }
  return [text, reason];
}

async function events(from, request) {
  const types = [];
  for await (const event of await from.responses.create({ ...request, stream: true })) {
    types.push(event.type);
  }
  return types;
}

async function thrown(promise) {
  try {
    await promise;
    return null;
  } catch (error) {
    return [error.constructor.name, error.status, error.code, error.param];
  }
}

const ask = (from, messages, more = {}) =>
  from.chat.completions.create({ ...sampling, messages, ...more });
const asked = { model, input: question[0].content, max_output_tokens: 8, temperature: 0 };

const answer = await ask(client, question);
const response = await client.responses.create(asked);
const continued = await client.responses.create({ ...asked, previous_response_id: response.id });
const refused = (await ask(polite, refusable)).choices[0];
const refusedResponse = await polite.responses.create({ ...asked, input: blocked });
const tool = {
  type: "function",
  function: {
    name: "weather",
    strict: true,
    parameters: {
      type: "object",
      properties: { city: { type: "string", enum: ["Ulm", "Bonn"] } },
      required: ["city"],
      additionalProperties: false,
    },
  },
};
const called = await ask(client, question, {
  tools: [tool],
  tool_choice: "required",
  parallel_tool_calls: false,
  max_tokens: 100,
});

console.log(
  JSON.stringify({
    answer: [answer.choices[0].message.content, answer.choices[0].finish_reason],
    requestId: answer._request_id,
    stream: await joined(client, { ...sampling, messages: question }),
    arguments: JSON.parse(called.choices[0].message.tool_calls[0].function.arguments),
    models: (await client.models.list()).data.map((card) => card.id),
    response: response.output_text,
    continued: continued.previous_response_id === response.id,
    events: await events(client, asked),
    blocked: await thrown(ask(client, refusable)),
    blockedStream: await thrown(ask(client, refusable, { stream: true })),
    blockedResponse: await thrown(client.responses.create({ ...asked, input: blocked })),
    refused: [refused.message.content, refused.message.refusal, refused.finish_reason],
    refusedStream: await joined(polite, { ...sampling, messages: refusable }),
    refusedResponse: [refusedResponse.status, refusedResponse.incomplete_details.reason],
    refusedEvents: (await events(polite, { ...asked, input: blocked })).at(-1),
    wrongKey: await thrown(ask(open(root, "wrong"), question)),
    unknownModel: await thrown(ask(client, question, { model: "nobody" })),
    tooLong: await thrown(ask(client, [{ role: "user", content: "Tell me more. ".repeat(1000) }])),
  }),
);
