/** What is filled in on the pages of somebody who is signed in; each part escapes what it is given. */
import { escapeHtml } from './layout';

/** @param inputs markup of what is filled in, and of the button */
export function form(action: string, formToken: string, ...inputs: readonly string[]): string {
  return `<form method="post" action="${escapeHtml(action)}"><input type="hidden" name="formToken" value="${escapeHtml(formToken)}">\n${inputs.join('\n')}\n</form>`;
}

export interface TextInput {
  readonly name: string;
  readonly label: string;
  readonly maxLength: number;
  readonly value?: string;
  readonly type?: 'text' | 'tel' | 'email';
  readonly isOptional?: boolean;
  /** Of somebody else's data the browser is to offer nothing. */
  readonly autocomplete?: string;
}

export function textInput({
  name,
  label,
  maxLength,
  value = '',
  type = 'text',
  isOptional = false,
  autocomplete = 'off',
}: TextInput): string {
  const required = isOptional ? '' : ' required';
  return `<label>${escapeHtml(label)}<input name="${name}" type="${type}" value="${escapeHtml(value)}" maxlength="${maxLength}" autocomplete="${autocomplete}"${required}></label>`;
}

export function select(
  name: string,
  label: string,
  options: readonly (readonly [value: string, text: string, isChosen: boolean])[],
): string {
  const each = options.map(
    ([value, text, isChosen]) =>
      `<option value="${escapeHtml(value)}"${isChosen ? ' selected' : ''}>${escapeHtml(text)}</option>`,
  );
  return `<label>${escapeHtml(label)}<select name="${name}">${each.join('')}</select></label>`;
}
