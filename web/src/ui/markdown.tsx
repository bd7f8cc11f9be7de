/**
 * Markdown as React elements, for what packs and people write. Parsed by marked's lexer; never made into HTML
 * text, so that raw HTML in it is shown as what it is: text.
 */
import { type MarkedToken, marked, type Token, type Tokens } from "marked";
import { Fragment, type ReactNode, useMemo } from "react";

/** Headings begin here: a document on a page stands below the page's own headings. */
const HEADING_LEVEL_FIRST = 4;
const HEADING_LEVEL_MAX = 6;

export function Markdown({ text }: { text: string }) {
  const tokens = useMemo(() => marked.lexer(text), [text]);
  return <div className="markdown">{all(tokens)}</div>;
}

function all(tokens: Token[] | undefined): ReactNode {
  // A document is drawn whole and never reordered: places are good keys.
  return tokens?.map((token, i) => <Fragment key={i}>{one(token as MarkedToken)}</Fragment>);
}

function one(token: MarkedToken): ReactNode {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "heading": {
      const level = Math.min(HEADING_LEVEL_FIRST + token.depth - 1, HEADING_LEVEL_MAX);
      const Heading = `h${level}` as "h4" | "h5" | "h6";
      return <Heading>{all(token.tokens)}</Heading>;
    }
    case "paragraph":
      return <p>{all(token.tokens)}</p>;
    case "blockquote":
      return <blockquote>{all(token.tokens)}</blockquote>;
    case "list":
      return list(token);
    case "code":
      return <pre className="raw">{token.text}</pre>;
    case "hr":
      return <hr />;
    case "table":
      return table(token);
    case "text":
      return token.tokens ? all(token.tokens) : entities(token.text);
    case "escape":
      return token.text;
    case "strong":
      return <strong>{all(token.tokens)}</strong>;
    case "em":
      return <em>{all(token.tokens)}</em>;
    case "del":
      return <del>{all(token.tokens)}</del>;
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "link":
      return link(token);
    case "image":
      // Pages show nothing from elsewhere: the picture's words stand for it.
      return token.text;
    case "html":
      return token.text;
    default:
      return token.raw;
  }
}

function list(token: Tokens.List): ReactNode {
  const items = token.items.map((item, i) => <li key={i}>{all(item.tokens)}</li>);
  return token.ordered ? <ol start={Number(token.start) || 1}>{items}</ol> : <ul>{items}</ul>;
}

function table(token: Tokens.Table): ReactNode {
  return (
    <table>
      <thead>
        <tr>
          {token.header.map((cell, i) => (
            <th key={i}>{all(cell.tokens)}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {token.rows.map((row, i) => (
          <tr key={i}>
            {row.map((cell, j) => (
              <td key={j}>{all(cell.tokens)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Only to pages, mail and telephones; anything else (`javascript:` above all) stays text. */
function link(token: Tokens.Link): ReactNode {
  const safe = /^(https?:|mailto:|tel:|\/(?!\/)|#)/i.test(token.href);
  if (!safe) return all(token.tokens);
  const away = /^https?:/i.test(token.href);
  return (
    <a href={token.href} {...(away ? { target: "_blank", rel: "noreferrer" } : {})}>
      {all(token.tokens)}
    </a>
  );
}

const NAMED: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: "\u00a0" };

/** The few character references that people write; React shows text as it is. */
function entities(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|nbsp);/g, (whole, name: string) => NAMED[name] ?? whole);
}
