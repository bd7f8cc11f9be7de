/** How a person signs in, for who manages accounts: second factors that are lost are reset, outside identities unlinked. */
import { useQuery } from "@tanstack/react-query";
import { Descriptions, Drawer } from "antd";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { methodsQuery } from "../../lib/session.ts";
import type { OutsideIdentity, PersonDetail } from "../../lib/types.ts";
import { useFocusBack } from "../../ui/keyboard.ts";
import { Loaded } from "../../ui/states.tsx";
import { IdentityLine } from "../account/identities.tsx";
import { factorActions, outsideActions } from "./actions.tsx";
import { factorsQuery, identitiesOfQuery, resetFactors, unlinkIdentityOf } from "./queries.ts";

/** Widest drawer, pixels. */
const DRAWER_WIDTH = 520;

interface Props {
  person: PersonDetail;
  /** Whether two people are asked before an administrator's sign-in is touched. */
  isAdministrator: boolean;
  confirm: (title: string, content: string, perform: () => Promise<void>) => unknown;
  onClose: () => void;
}

export function SignInDrawer({ person, isAdministrator, confirm, onClose }: Props) {
  const { t } = useT();
  useFocusBack();
  return (
    <Drawer
      open
      size={DRAWER_WIDTH}
      title={t("organisation.sign-in-of", { name: person.name })}
      onClose={onClose}
    >
      <div className="stack" data-testid="sign-in">
        <Factors person={person} isAdministrator={isAdministrator} confirm={confirm} />
        <Outside person={person} confirm={confirm} />
      </div>
    </Drawer>
  );
}

function Factors({ person, isAdministrator, confirm }: Omit<Props, "onClose">) {
  const { t } = useT();
  const factors = useQuery(factorsQuery(person.username));
  const reset = () =>
    confirm(t("organisation.factors-confirm", { name: person.name }), t("organisation.factors-text"), () =>
      resetFactors(person.username),
    );
  return (
    <section>
      <h3>{t("organisation.factors")}</h3>
      <Loaded query={factors}>
        {(found) => (
          <>
            <Descriptions
              size="small"
              column={1}
              items={[
                {
                  key: "totp",
                  label: t("organisation.factors-totp"),
                  children: t(found.totp ? "organisation.factors-set" : "organisation.factors-unset"),
                },
                { key: "passkeys", label: t("organisation.factors-passkeys"), children: found.passkeys },
                {
                  key: "codes",
                  label: t("organisation.factors-codes"),
                  children: found.recovery_codes_left,
                },
              ]}
            />
            {found.required && <p className="quiet">{t("organisation.factors-required")}</p>}
            {isAdministrator && <p className="quiet">{t("organisation.factors-administrator")}</p>}
            <ActionBar actions={factorActions} context={{ factors: found, reset }} size="small" />
          </>
        )}
      </Loaded>
    </section>
  );
}

/** Nothing where the city has no provider. */
function Outside({ person, confirm }: Pick<Props, "person" | "confirm">) {
  const { t } = useT();
  const hasProviders = (useQuery(methodsQuery).data?.providers ?? []).length > 0;
  const identities = useQuery({ ...identitiesOfQuery(person.username), enabled: hasProviders });
  if (!hasProviders) return null;
  const unlink = (identity: OutsideIdentity) =>
    confirm(
      t("account.outside-unlink-confirm", { name: identity.shown || identity.subject }),
      t("organisation.outside-text"),
      () => unlinkIdentityOf(person.username, identity.id),
    );
  return (
    <section>
      <h3>{t("account.outside")}</h3>
      <Loaded query={identities}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="quiet">{t("account.outside-none")}</p>
          ) : (
            <ul className="card-list">
              {items.map((identity) => (
                <li key={identity.id} data-testid="identity">
                  <IdentityLine identity={identity} />{" "}
                  <ActionBar actions={outsideActions} context={{ identity, unlink }} size="small" />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  );
}
