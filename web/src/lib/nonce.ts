/**
 * The pages' security policy (CSP) takes a style element only with the nonce of the answer that brought the page. Antd,
 * CodeMirror and others make style elements as they are needed, some without a way to hand them a nonce; here each one that
 * a script of ours makes gets it. What somebody's text brings into a page as HTML makes none by this way, and stays without.
 */
export function giveNonce(page: Document): void {
  const nonce = page.querySelector<HTMLElement>("meta[property=csp-nonce]")?.nonce;
  if (!nonce) return;
  const make = page.createElement.bind(page) as (
    name: string,
    options?: ElementCreationOptions,
  ) => HTMLElement;
  const withNonce = (name: string, options?: ElementCreationOptions) => {
    const element = make(name, options);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
  };
  page.createElement = withNonce as typeof page.createElement;
}
