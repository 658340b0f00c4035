// The guide's example for the OpenRouter SDK; prints what it answered.
import { OpenRouter } from '@openrouter/sdk';

const openRouter = new OpenRouter({
  serverURL: `${process.env.HEARTH_URL}/api/v1`,
  apiKey: process.env.HEARTH_KEY,
});

const response = await openRouter.chat.send({
  model: process.env.HEARTH_MODEL,
  messages: [
    {
      role: 'user',
      content: "What's the weather like today?",
    },
  ],
  user: 'user_12345', // Your user identifier
  stream: false,
});

console.log(JSON.stringify({ content: response.choices[0].message.content }));
