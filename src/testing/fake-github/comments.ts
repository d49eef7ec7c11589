import type { Ground } from "./route.ts";
import type { Account, Comment, Repository } from "./world.ts";

/** Somebody says something in a pull request. */
export function addComment(
  ground: Pick<Ground, "world" | "shapes" | "tell">,
  repository: Repository,
  issue: number,
  author: Account,
  body: string,
): Comment {
  const now = ground.world.clock.now();
  const comment: Comment = { id: ground.world.nextId(), issue, author, body, createdMs: now, updatedMs: now };
  repository.comments.push(comment);
  tellOfComment(ground, repository, comment, "created", {});
  return comment;
}

/** A comment is changed afterwards; what it said before is in the event, as at GitHub. */
export function editComment(
  ground: Pick<Ground, "world" | "shapes" | "tell">,
  repository: Repository,
  comment: Comment,
  body: string,
): void {
  const changes = { body: { from: comment.body } };
  comment.body = body;
  comment.updatedMs = ground.world.clock.now();
  tellOfComment(ground, repository, comment, "edited", { changes });
}

function tellOfComment(
  { shapes, tell }: Pick<Ground, "shapes" | "tell">,
  repository: Repository,
  comment: Comment,
  action: string,
  more: { readonly changes?: { readonly body: { readonly from: string } } },
): void {
  const pull = repository.heads.pulls.get(comment.issue);
  const { number, title = "", id = 0 } = { number: comment.issue, ...pull };
  const links = pull === undefined ? {} : { pull_request: { url: shapes.pull(repository, pull)["url"] ?? "" } };
  const issue = { id, number, title, state: pull?.state ?? "open", user: shapes.user(comment.author), ...links };
  const sender = shapes.user(comment.author);
  tell("issue_comment", action, repository, { issue, comment: shapes.comment(repository, comment), sender, ...more });
}
