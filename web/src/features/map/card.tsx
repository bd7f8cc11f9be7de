/** What a click on the map shows: the entity's current values, and the way to its page. */
import { CloseOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Alert, Button } from "antd";
import { useEffect, useRef } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { attributeText } from "../../lib/format.ts";
import { Loaded } from "../../ui/states.tsx";
import { Age, QualityTag } from "../../ui/tags.tsx";
import { dataNote, entityQuery, isSimulated, listedAttributes, nameOf } from "../entity/queries.ts";
import { typesQuery } from "./queries.ts";
import { typeColour } from "./style.ts";

const SHOWN_MAX = 7;

export function EntityCard({
  id,
  follow,
  onClose,
}: {
  id: string;
  /** The keyboard opened it, and goes on in it. */
  follow: boolean;
  onClose: () => void;
}) {
  const { t, p, language } = useT();
  const card = useRef<HTMLElement>(null);
  const latest = useRef(onClose);
  latest.current = onClose;
  useEffect(() => {
    if (follow) card.current?.focus();
  }, [follow]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // What lies over the page, a list or a dialog, closes first.
      const target = event.target as HTMLElement;
      if (
        event.key !== "Escape" ||
        event.defaultPrevented ||
        target.closest("input, .ant-drawer, .ant-modal")
      )
        return;
      latest.current();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  const entity = useQuery(entityQuery(id));
  const types = useQuery(typesQuery).data;
  return (
    <section ref={card} tabIndex={-1} className="map-card" aria-label={id}>
      <Button
        className="map-card-close"
        type="text"
        size="small"
        icon={<CloseOutlined />}
        aria-label={t("word.close")}
        onClick={onClose}
      />
      <Loaded query={entity}>
        {(found) => {
          const kind = types?.get(found.type) ?? found.kind;
          const note = dataNote(found, language);
          return (
            <>
              <h2>{nameOf(found, language)}</h2>
              <p className="quiet">
                <span className="dot" style={{ background: typeColour(found.type, kind) }} />
                {kind ? p(kind.title_zh, kind.title_en) : found.type} · <Age at={found.modified_at} />
              </p>
              <dl className="map-card-values">
                {listedAttributes(found, kind ?? undefined)
                  .slice(0, SHOWN_MAX)
                  .map(([name, state]) => {
                    const declared = kind?.attributes[name];
                    return (
                      <div key={name}>
                        <dt className="ellipsis">
                          {declared ? p(declared.title_zh, declared.title_en) : name}
                        </dt>
                        <dd className="number">
                          <span className="ellipsis">
                            {attributeText(
                              language,
                              state.value,
                              state.unit ?? declared?.unit,
                              declared?.words,
                            )}
                          </span>
                          <QualityTag quality={state.quality} hideGood />
                        </dd>
                      </div>
                    );
                  })}
              </dl>
              {(note || isSimulated(found)) && (
                <Alert type="info" showIcon title={note ?? t("entity.simulated")} className="map-card-note" />
              )}
              <Link to={`/entities/${encodeURIComponent(found.id)}`}>
                <Button type="primary" block>
                  {t("map.open-entity")}
                </Button>
              </Link>
            </>
          );
        }}
      </Loaded>
    </section>
  );
}
