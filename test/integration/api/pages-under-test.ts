/** The pages over real HTTP, beside the local issuer, and people who go through the sign-in as a browser does. */
import type { Server } from 'node:http';
import express from 'express';
import { freePort } from '../../../scripts/ports';
import { createIssuer } from '../../../simulator/issuer';
import { SealedValue } from '../../../domain/sealed';
import { createMentor, type Mentor, type NewMentor } from '../../../db/mentors';
import { inTransaction } from '../../../db/pool';
import { createSubject } from '../../../db/subjects';
import { MARKED } from '../../marked-people';
import { type Answer, ApiUnderTest } from './api-under-test';

export class PagesUnderTest {
  private constructor(
    readonly api: ApiUnderTest,
    readonly url: string,
    readonly issuerUrl: string,
    private readonly issuer: Server,
  ) {}

  static async start(env: Record<string, string> = {}): Promise<PagesUnderTest> {
    const issuerPort = await freePort();
    const issuerUrl = `http://127.0.0.1:${issuerPort}`;
    const local = await createIssuer({ publicUrl: issuerUrl, audience: 'kindline' });
    const issuer = await new Promise<Server>((resolve) => {
      const server: Server = express()
        .use(local.router)
        .listen(issuerPort, '127.0.0.1', () => resolve(server));
    });
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const pages = { PUBLIC_BASE_URL: url, OIDC_ISSUER: local.issuer, OIDC_CLIENT_ID: 'kindline-pages' };
    const api = await ApiUnderTest.start({ ...pages, ...env }, { port });
    return new PagesUnderTest(api, url, issuerUrl, issuer);
  }

  async stop(): Promise<void> {
    await this.api.stop();
    await this.stopIssuer();
  }

  async stopIssuer(): Promise<void> {
    this.issuer.closeAllConnections();
    await new Promise((resolve) => this.issuer.close(resolve));
  }

  /** Somebody with a browser that has no cookie yet. */
  stranger(): PageVisitor {
    return new PageVisitor(this);
  }

  async signedIn(role: string, subject?: string): Promise<PageVisitor> {
    const visitor = this.stranger();
    await visitor.signIn(role, subject);
    return visitor;
  }

  async addMentor(more: Partial<NewMentor> = {}, name: string = MARKED.mentorName): Promise<Mentor> {
    const { pool, vault, tokenizer } = this.api.deps;
    const subjectId = await createSubject(pool, 'system');
    const phone = SealedValue.of('phone', MARKED.mentorPhone);
    const nameRecordId = await vault.seal({ subjectId, kind: 'name', value: SealedValue.of('name', name) });
    const phoneRecordId = await vault.seal({ subjectId, kind: 'phone', value: phone });
    const mentor: NewMentor = {
      subjectId,
      nameRecordId,
      phoneRecordId,
      phoneToken: tokenizer.token(phone),
      country: 'US',
      specialties: [],
      languages: ['en'],
      zone: 'America/New_York',
      available: true,
      maxConcurrentCalls: 1,
      windows: [{ weekday: 1, starts: '09:00', ends: '17:00' }],
      ...more,
    };
    return inTransaction(pool, (tx) => createMentor(tx, mentor, 'system'));
  }

  /** A mentor, and who is signed in as them by an invitation. */
  async joined(more: Partial<NewMentor> = {}): Promise<{ readonly mentor: Mentor; readonly visitor: PageVisitor }> {
    const mentor = await this.addMentor(more);
    const visitor = await this.signedIn('mentor', `mentor-${mentor.mentorId}`);
    await visitor.send('/mentor/join', { code: await this.code(mentor.mentorId) });
    return { mentor, visitor };
  }

  async code(mentorId: string): Promise<string> {
    const { body } = await this.api.ask('POST', `/mentors/${mentorId}/invitation`, {
      who: { role: 'admin' },
      json: {},
    });
    return body.code;
  }
}

const PAGE_OF: Readonly<Record<string, string>> = { mentor: '/mentor/join', circle: '/circle' };

/** Keeps cookies, follows nothing by itself, and fills in forms as they came. */
export class PageVisitor {
  readonly cookies = new Map<string, string>();
  /** As the last page with a form said it. */
  formToken = '';

  constructor(private readonly pages: PagesUnderTest) {}

  async open(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.noting(await this.pages.api.fetch(path, { headers: { ...this.cookieHeader(), ...headers } }));
  }

  /** Sends a form of ours; each of these is a page with a form that everybody who may send one can open. */
  async send(path: string, fields: Record<string, string> = {}, headers: Record<string, string> = {}): Promise<Answer> {
    if (this.formToken === '') await this.open(PAGE_OF[path.split('/')[1] ?? ''] ?? '/staff');
    return this.post(path, { formToken: this.formToken, ...fields }, { Origin: this.pages.url, ...headers });
  }

  async post(path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
    const body = new URLSearchParams(fields);
    const init = { method: 'POST', body, headers: { ...this.cookieHeader(), ...headers } };
    return this.noting(await this.pages.api.fetch(path, init));
  }

  /** To the issuer, its button, and back. @returns the answer of the callback */
  async signIn(role: string, subject = '', to = ''): Promise<Answer> {
    return this.open(await this.comeBack(role, subject, to));
  }

  /** @returns the path with which the issuer sends the browser back */
  async comeBack(role: string, subject = '', to = ''): Promise<string> {
    const begun = await this.open(`/sign-in${to === '' ? '' : `?to=${encodeURIComponent(to)}`}`);
    const asked = new URL(begun.headers.get('location') ?? '');
    const form = new URLSearchParams(asked.search);
    form.set('role', role);
    form.set('subject', subject);
    const chosen = await fetch(`${asked.origin}${asked.pathname}`, { method: 'POST', body: form, redirect: 'manual' });
    const back = new URL(chosen.headers.get('location') ?? '');
    return `${back.pathname}${back.search}`;
  }

  private cookieHeader(): Record<string, string> {
    const pairs = [...this.cookies].map(([name, value]) => `${name}=${value}`);
    return pairs.length === 0 ? {} : { Cookie: pairs.join('; ') };
  }

  private noting(answer: Answer): Answer {
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    this.formToken = /name="formToken" value="([^"]+)"/.exec(answer.text)?.[1] ?? this.formToken;
    return answer;
  }
}
