import { readAsset } from './assets';

/** One person the local issuer can sign in as. */
export interface SignInChoice {
  readonly role: string;
  readonly about: string;
}

export interface SignInPageOptions {
  readonly choices: readonly SignInChoice[];
  /** What the client has asked with, handed on by the form as it came. */
  readonly request: Readonly<Record<string, string>>;
  /** Of this very answer: the style runs with it and nothing else does. */
  readonly nonce: string;
}

/** @returns the page on which one chooses whom to be; it needs no script */
export function renderSignInPage({ choices, request, nonce }: SignInPageOptions): string {
  const handedOn = Object.entries(request).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  const buttons = choices.map(
    ({ role, about }) =>
      `<li><button name="role" value="${escapeHtml(role)}" aria-describedby="about-${escapeHtml(role)}">${escapeHtml(role)}</button><p id="about-${escapeHtml(role)}">${escapeHtml(about)}</p></li>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Local sign-in</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">
${readAsset('sign-in.css')}</style>
</head>
<body>
<main>
<h1>Sign in as</h1>
<p>The sign-in of this machine alone: it believes everybody. A real one asks who you are.</p>
<form method="post" action="authorize">
${handedOn.join('\n')}
<ul>
${buttons.join('\n')}
</ul>
<label>Another person of that role, if you like <input name="subject" maxlength="255" autocomplete="off"></label>
</form>
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
