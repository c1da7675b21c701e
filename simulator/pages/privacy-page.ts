/**
 * Where `PRIVACY_POLICY_URL` leads while everything is played on this machine: mails and pages then have the link that
 * they have in production, and whoever follows it reads that the organisation's own belongs here.
 */
export function renderPrivacyPage(): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A sample of a privacy policy</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/phones.css">
</head>
<body>
<header><div>
<h1>A sample of a privacy policy</h1>
<p>This is no policy of anybody. The policy of your organisation takes its place: set <code>PRIVACY_POLICY_URL</code> to its address.</p>
</div></header>
<main>
<p>It says, in plain words, who is responsible and how to reach them; what is held of whom, what for, by whose consent and for how
long; which companies carry calls, texts and e-mails; and how somebody sees, takes along or deletes what is held of them.</p>
<p lang="es">Este texto es solo un ejemplo y no es la política de privacidad de nadie. En su lugar va la de su organización.</p>
</main>
</body>
</html>
`;
}
