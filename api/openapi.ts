export function openapiDocument(): object {
  return {};
}
