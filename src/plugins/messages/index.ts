export { type MailOptions, mailSender } from "./mail.ts";
export { type Ending, endingKey, endingOf } from "./message.ts";
export { slackSender } from "./slack.ts";
export { webhookSender } from "./webhook.ts";
