// The guide's example for the OpenAI SDK, then a stream and a refusal; prints what came of them.
import OpenAI from 'openai';

const openai = new OpenAI({
  baseURL: `${process.env.HEARTH_URL}/api/v1`,
  apiKey: process.env.HEARTH_KEY,
});

async function chatWithUserTracking() {
  const response = await openai.chat.completions.create({
    model: process.env.HEARTH_MODEL,
    messages: [
      {
        role: 'user',
        content: "What's the weather like today?",
      },
    ],
    user: 'user_12345', // Your user identifier
  });

  return response.choices[0].message.content;
}

async function streamedChat() {
  const stream = await openai.chat.completions.create({
    model: process.env.HEARTH_MODEL,
    messages: [{ role: 'user', content: "What's the weather like today?" }],
    user: 'user_12345',
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  let usage = null;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? '';
    usage = chunk.usage ?? usage;
  }
  return { text, usage };
}

async function refusedChat() {
  const guarded = openai.withOptions({ baseURL: `${process.env.HEARTH_URL}/v1` });
  try {
    await guarded.chat.completions.create(
      { model: process.env.HEARTH_MODEL, messages: [{ role: 'user', content: 'Hello there' }] },
      { headers: { 'x-usagepanda-enforce-user-ids': 'true' } },
    );
    return null;
  } catch (error) {
    return { name: error.constructor.name, status: error.status, error: error.error };
  }
}

const content = await chatWithUserTracking();
const streamed = await streamedChat();
const refusal = await refusedChat();
console.log(JSON.stringify({ content, streamed, refusal }));
