// Version 1 of the OpenRouter SDK, which wraps the request that the guide shows in `chatRequest`.
// It checks every answer against OpenRouter's schema; prints what it read.
import { OpenRouter } from 'openrouter-sdk-1';

function client(apiKey) {
  return new OpenRouter({
    serverURL: `${process.env.HEARTH_URL}/api/v1`,
    apiKey,
    retryConfig: { strategy: 'none' },
  });
}

const app = client(process.env.HEARTH_KEY);
const manager = client(process.env.HEARTH_MANAGEMENT_KEY);

function chat(fields, options) {
  const chatRequest = {
    model: process.env.HEARTH_MODEL,
    messages: [{ role: 'user', content: "What's the weather like today?" }],
    user: 'user_12345',
    ...fields,
  };
  return app.chat.send({ chatRequest }, options);
}

async function streamed(fields) {
  let text = '';
  let usage = null;
  for await (const chunk of await chat({ stream: true, ...fields })) {
    text += chunk.choices[0]?.delta.content ?? '';
    usage = chunk.usage ?? usage;
  }
  return { text, usage };
}

async function raised(call) {
  try {
    await call();
    return null;
  } catch (error) {
    return [error.constructor.name, error.error?.code ?? null, error.message];
  }
}

const answer = await chat({ stream: false });
const silent = await streamed({});
const counted = await streamed({ streamOptions: { includeUsage: true } });
const { data: generation } = await app.generations.getGeneration({ id: answer.id });
const { data: activity } = await manager.analytics.getUserActivity();
const models = [];
for await (const page of await app.models.list()) {
  models.push(...page.result.data.map(({ id, pricing }) => [id, pricing.prompt]));
}
const errors = {
  forbidden: await raised(() => app.analytics.getUserActivity()),
  missing: await raised(() => app.generations.getGeneration({ id: 'gen-0' })),
  stranger: await raised(() => client('sk-nobody').generations.getGeneration({ id: 'gen-0' })),
  refused: await raised(() =>
    app.chat.send(
      { chatRequest: { model: process.env.HEARTH_MODEL, messages: [{ role: 'user', content: 'Hello' }] } },
      { headers: { 'x-usagepanda-enforce-user-ids': 'true' } },
    ),
  ),
};
const content = answer.choices[0].message.content;
console.log(JSON.stringify({ content, silent, counted, generation, activity, models, errors }));
