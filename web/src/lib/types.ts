/**
 * What the server answers with and takes, by the names that the pages use. Every shape is the server's own:
 * `api-schema.ts` is made from `openapi.json` by `npm run types`; nothing is written by hand but what a
 * description cannot say.
 */
import type { components } from "./api-schema.ts";

type Schemas = components["schemas"];

/** A page of a list; `next` is the cursor of the page after it. */
export interface Items<T> {
  items: T[];
  next: string | null;
}

export type Severity = Schemas["Severity"];
export type Quality = Schemas["Quality"];
/** Longitude and latitude, degrees, WGS 84. */
export type Place = Schemas["Place"];

export type User = Schemas["User"];
export type Person = Schemas["Person"];
export type City = Schemas["City"];
export type Organisation = Schemas["Organisation"];

export type AttributeState = Schemas["Attribute"];
export type AttributeKind = Schemas["AttributeKind"];
/** A declared type; with `view`, how its pack wants it shown, and how many there are, where the list of types gave it. */
export type EntityKind = Schemas["EntityKind"] &
  Partial<Pick<Schemas["EntityType"], "view" | "views" | "count">>;
export type EntityType = Schemas["EntityType"];
/** How a pack wants a type shown. */
export type EntryTaken = Schemas["EntryTaken"];
export type PackView = Schemas["View"];
export type ViewForm = Schemas["ViewForm"];
export type ViewField = Schemas["ViewField"];
export type ViewBoard = Schemas["ViewBoard"];
export type ViewTable = Schemas["ViewTable"];
export type ViewChoice = Schemas["ViewChoice"];
export type ViewIsolines = Schemas["ViewIsolines"];
export type Pack = Schemas["Pack"];
export type Bulletin = Schemas["Bulletin"];
export type BulletinPart = Schemas["BulletinPart"];
export type BulletinListed = Schemas["BulletinListed"];
export type Entity = Schemas["Entity"];
export type EntityDetail = Schemas["EntityDetail"];
export type MapEntities = Schemas["MapEntities"];
export type HistoryPoint = Schemas["HistoryPoint"];
export type History = Schemas["History"];

export type Correction = Schemas["Correction"];
export type CorrectionDraft = Schemas["CorrectionDraft"];

export type Rule = Schemas["Rule"];
export type RuleFailure = Schemas["RuleFailure"];
export type MaintenanceWindow = Schemas["MaintenanceWindow"];
export type BackTest = Schemas["BackTest"];
export type BackTestReport = Schemas["BackTestReport"];
export type BackTestAlert = Schemas["BackTestAlert"];

export type RunDefinition = Schemas["RunDefinition"];
export type Run = Schemas["Run"];
export type RunDetail = Schemas["RunDetail"];
export type RunTable = Schemas["RunTable"];
export type RunsMade = Schemas["RunsMade"];
export type RunAdopted = Schemas["RunAdopted"];
export type RunAdoption = Schemas["RunAdoption"];
export type RunRepeated = Schemas["RunRepeated"];
export type EntityForecast = Schemas["EntityForecast"];

export type DutyPattern = Schemas["DutyPattern"];
export type DutyPatternDraft = Schemas["DutyPatternDraft"];
export type DutyTurn = Schemas["DutyTurn"];
export type DutyImport = Schemas["DutyImport"];
export type DutyTurnsDraft = Schemas["DutyTurnsDraft"];
export type DutyRoster = Schemas["DutyRoster"];
export type DutyNow = Schemas["DutyNow"];
export type DutyNowAll = Schemas["DutyNowAll"];
export type DutyHandOver = Schemas["DutyHandOver"];
export type DutyHandOverDraft = Schemas["DutyHandOverDraft"];
export type ResponsePlan = Schemas["ResponsePlan"];
export type PlanNumber = Schemas["PlanNumber"];
export type PlanNumbers = Schemas["PlanNumbers"];
export type PlanSuggestion = Schemas["PlanSuggestion"];
export type Activation = Schemas["Activation"];
export type ActivationDraft = Schemas["ActivationDraft"];
export type NearResources = Schemas["NearResources"];
export type OutsideContact = Schemas["OutsideContact"];
export type OutsideContactDraft = Schemas["OutsideContactDraft"];

export type Problem = Schemas["Problem"];
export type Provenance = Schemas["Provenance"];
export type Update = Schemas["Update"];
export type DeadLetter = Schemas["DeadLetter"];

export type Alert = Schemas["Alert"];
export type AlertDoubt = Schemas["AlertDoubt"];
export type AffectedOfType = Schemas["AffectedOfType"];
export type AffectedEntity = Schemas["AffectedEntity"];
export type ToldEvent = Schemas["ToldEvent"];
export type ToldPerson = Schemas["ToldPerson"];

export type Notification = Schemas["Notification"];
export type Notifications = Schemas["Notifications"];
export type OwnContact = Schemas["OwnContact"];
export type OwnContacts = Schemas["OwnContacts"];
export type NoticeRule = Schemas["NoticeRule"];
export type NoticeRules = Schemas["NoticeRules"];
export type NoticeChannel = Schemas["NoticeChannel"];
export type NoticePreview = Schemas["NoticePreview"];
export type NoticeMessage = Schemas["NoticeMessage"];
export type NoticeMessages = Schemas["NoticeMessages"];

export type Command = Schemas["Command"];
export type CommandDetail = Schemas["CommandDetail"];
export type CommandOffer = Schemas["CommandOffer"];
export type CommandInterlock = Schemas["CommandInterlock"];
export type CommandWhy = Schemas["CommandWhy"];

export type SharedCharging = Schemas["SharedCharging"];
export type SharedTransformer = Schemas["SharedTransformer"];
export type SharedOutlet = Schemas["SharedOutlet"];
export type ChargingMessage = Schemas["ChargingMessage"];
export type ChargingSetting = Schemas["ChargingSetting"];
export type ChargingSession = Schemas["ChargingSession"];
export type ChargingSessions = Schemas["ChargingSessions"];
export type ChargingPayments = Schemas["ChargingPayments"];
export type ChargingRefundDraft = Schemas["ChargingRefundDraft"];
export type ChargingSessionDetail = Schemas["ChargingSessionDetail"];
export type ChargingBill = Schemas["ChargingBill"];
export type ChargingDecision = Schemas["ChargingDecision"];
export type ChargingInvoice = Schemas["ChargingInvoice"];
export type ChargingInvoices = Schemas["ChargingInvoices"];
export type ChargingInvoiceStep = Schemas["ChargingInvoiceStep"];
export type ChargingSeller = Schemas["ChargingSeller"];
export type ChargingSellers = Schemas["ChargingSellers"];
export type ChargingSettlement = Schemas["ChargingSettlement"];
export type ChargingStatement = Schemas["ChargingStatement"];
export type ExchangeStatement = Schemas["ExchangeStatement"];
export type ExchangeStatements = Schemas["ExchangeStatements"];
export type ExchangeSum = Schemas["ExchangeSum"];
export type ChargingDoubt = Schemas["ChargingDoubt"];
export type ChargingEvent = Schemas["ChargingEvent"];
export type ChargingExchange = Schemas["ChargingExchange"];
export type ChargingFigures = Schemas["ChargingFigures"];
export type ChargingSum = Schemas["ChargingSum"];
export type ChargingTariff = Schemas["ChargingTariff"];
export type ChargingTariffs = Schemas["ChargingTariffs"];
export type ChargingCard = Schemas["ChargingCard"];
export type ChargingCards = Schemas["ChargingCards"];
export type ChargingCardDraft = Schemas["ChargingCardDraft"];
export type ChargingStationLine = Schemas["ChargingStationLine"];
export type ChargingStationLines = Schemas["ChargingStationLines"];
export type ChargingOrder = Schemas["ChargingOrder"];
export type ChargingOrderAnswer = Schemas["ChargingOrderAnswer"];
export type ExchangeComparison = Schemas["ExchangeComparison"];
export type ExchangeOrder = Schemas["ExchangeOrder"];
export type ExchangeOrders = Schemas["ExchangeOrders"];
export type ExchangePartner = Schemas["ExchangePartner"];
export type ChargingSupervision = Schemas["ChargingSupervision"];
export type ChargingSupervised = Schemas["ChargingSupervised"];
export type ChargingSupervisedGroup = Schemas["ChargingSupervisedGroup"];
export type ChargingSupervisedTown = Schemas["ChargingSupervisedTown"];
export type ChargingWorstPoint = Schemas["ChargingWorstPoint"];
export type ChargingGoal = Schemas["ChargingGoal"];
export type ChargingSubsidyOperator = Schemas["ChargingSubsidyOperator"];
export type ChargingFarVillage = Schemas["ChargingFarVillage"];

export type SubjectData = Schemas["SubjectData"];
export type SubjectEntity = Schemas["SubjectEntity"];
export type Viewers = Schemas["Viewers"];
export type Viewer = Schemas["Viewer"];

export type AuditEntry = Schemas["AuditEntry"];
export type AuditEvent = Schemas["AuditEvent"];
export type AuditChain = Schemas["AuditChain"];

export type Policies = Schemas["Policies"];
export type PolicyStated = Schemas["PolicyStated"];
export type PolicySource = Schemas["PolicySource"];
/** The city's own policies: texts by name. */
export type PolicyTexts = Schemas["PolicyDraft"]["documents"];
export type PolicyChange = Schemas["PolicyChange"];
export type PolicyTried = Schemas["PolicyTried"];
export type PolicyEffect = Schemas["PolicyEffect"];
export type PolicyVersion = Schemas["PolicyVersion"];
export type Seen = Schemas["Seen"];
export type Why = Schemas["Why"];
export type WhyAnswer = Schemas["WhyAnswer"];
export type Approval = Schemas["Approval"];
export type ApprovalPage = Schemas["ApprovalPage"];
export type ApprovalAsked = Schemas["ApprovalAsked"];
export type ApprovalDecided = Schemas["ApprovalDecided"];
export type OwnAccount = Schemas["OwnAccount"];
export type RoleInfo = Schemas["Role"];
export type SecurityView = Schemas["SecurityView"];
export type SecurityHole = Schemas["SecurityHole"];
export type SecurityCertificate = Schemas["SecurityCertificate"];

export type CaseSummary = Schemas["CaseSummary"];
export type CaseDetail = Schemas["CaseDetail"];
export type CaseStep = Schemas["CaseStep"];
export type CaseLimits = Schemas["CaseLimits"];
export type CaseNeed = Schemas["CaseNeed"];
export type CaseBoard = Schemas["CaseBoard"];
export type CaseBoardColumn = Schemas["CaseBoardColumn"];
export type CaseBoardState = Schemas["CaseBoardState"];
export type PackCaseBoard = Schemas["PackCaseBoard"];
export type CaseClass = Schemas["CaseClass"];
export type CaseContact = Schemas["CaseContact"];
export type CaseOpen311Link = Schemas["CaseOpen311Link"];
export type CaseOpen311Links = Schemas["CaseOpen311Links"];
export type CaseOpen311Decide = Schemas["CaseOpen311Decide"];
export type UnitGrid = Schemas["UnitGrid"];
export type CaseFigures = Schemas["CaseFigures"];
export type CaseFiguresOfPeriod = Schemas["CaseFiguresOfPeriod"];
export type CaseFigureRows = Schemas["CaseFigureRows"];
export type CasePart = Schemas["CasePart"];
export type CaseRate = Schemas["CaseRate"];
export type CaseTimeLeft = Schemas["CaseTimeLeft"];
export type SimilarCases = Schemas["SimilarCases"];
export type Attachment = Schemas["Attachment"];
export type CaseDraft = Schemas["CaseDraft"];
/** A step that these pages know how to ask for. */
export type CaseActionInput = Schemas["CaseAct"] & { action: CaseActionName };

/** The states of the standard workflow, in its order: those that the pages have words and colours for. */
export const CASE_STATES = [
  "collected",
  "filed",
  "dispatched",
  "handling",
  "split",
  "handled",
  "verified",
  "closed",
  "cancelled",
] as const;
export type CaseState = (typeof CASE_STATES)[number];
/** The actions of the standard workflow. */
export type CaseActionName =
  | "file"
  | "dispatch"
  | "take"
  | "finish"
  | "verify"
  | "reject"
  | "close"
  | "comment"
  | "cancel"
  | "return"
  | "ask-extension"
  | "grant-extension"
  | "refuse-extension"
  | "supervise"
  | "answer"
  | "suspend"
  | "resume"
  | "split"
  | "gather"
  | "duplicate"
  | "reopen";

/** Whether a state is one of the standard workflow; a pack's own workflow may have others. */
export function isCaseState(state: string): state is CaseState {
  return (CASE_STATES as readonly string[]).includes(state);
}

export type Device = Schemas["Device"];
export type NewDevice = Schemas["NewDevice"];
export type DeviceDraft = Schemas["DeviceDraft"];

export type OidcClient = Schemas["OidcClient"];
export type OidcClientDraft = Schemas["OidcClientDraft"];
export type OidcClientChange = Schemas["OidcClientChange"];
export type NewOidcClient = Schemas["NewOidcClient"];
export type OidcGrant = Schemas["OidcGrant"];
export type SecondStep = Schemas["SecondStep"];
export type SecondFactors = Schemas["SecondFactors"];
export type OutsideProvider = Schemas["OutsideProvider"];
export type OutsideIdentity = Schemas["OutsideIdentity"];
export type SignInMethods = Schemas["SignInMethods"];
export type Account = Schemas["Account"];
export type Passkey = Schemas["Passkey"];
export type OwnSession = Schemas["OwnSession"];
export type NewTotp = Schemas["NewTotp"];
export type NewPasskey = Schemas["NewPasskey"];
export type PasskeyAnswer = Schemas["PasskeyAnswer"];
/** What an authenticator made, without the name that its person gives it. */
export type PasskeyMade = Omit<Schemas["PasskeyDraft"], "name">;
export type DeviceAskable = Schemas["DeviceAskable"];
export type DeviceAsked = Schemas["DeviceAsked"];
export type DeviceReply = Schemas["DeviceReply"];
export type DeviceCredential = Schemas["DeviceCredential"];
export type DeviceSecretKind = Schemas["DeviceSecretKind"];
export type RotatedDevice = Schemas["RotatedDevice"];
export type OrganisationTree = Schemas["OrganisationTree"];
export type OrganisationUnit = Schemas["OrganisationUnit"];
export type OrganisationDraft = Schemas["OrganisationDraft"];
export type OrganisationChange = Schemas["OrganisationChange"];
export type Post = Schemas["Post"];
export type PostDraft = Schemas["PostDraft"];
export type PostChange = Schemas["PostChange"];
/** A person with posts; {@link Person} is what a case needs of one. */
export type PersonDetail = Schemas["PersonDetail"];
export type PersonDraft = Schemas["PersonDraft"];
export type PersonChange = Schemas["PersonChange"];
export type PersonMade = Schemas["PersonMade"];
export type HandOverDraft = Schemas["HandOverDraft"];
export type HandOverReport = Schemas["HandOverReport"];
export type RosterReport = Schemas["RosterReport"];
export type SheetMistake = Schemas["RosterMistake"];

export type SignInQuestion = Schemas["SignInQuestion"];
export type DeviceQuestion = Schemas["DeviceQuestion"];
export type LogoutQuestion = Schemas["LogoutQuestion"];

export type SqlResult = Schemas["SqlAnswer"];
export type ImportReport = Schemas["ImportReport"];
export type Intake = Schemas["Intake"];
export type IntakeReport = Schemas["IntakeReport"];
export type ImportProgress = Schemas["ImportProgress"];
export type TableInfo = Schemas["Table"];

/** The plan as everybody may see it. */
export type PublicPlan = Schemas["PublicPlan"];
export type PublicIndicator = Schemas["PublicIndicator"];
export type Plan = Schemas["Plan"];
export type Plans = Schemas["Plans"];
export type TownComparison = Schemas["TownComparison"];
export type ProjectParts = Schemas["ProjectParts"];
export type ProjectPart = Schemas["ProjectPart"];
export type ComparedTown = Schemas["ComparedTown"];
export type PlanPlace = Schemas["PlanPlace"];
export type Contradiction = Schemas["Contradiction"];
export type Indicator = Schemas["Indicator"];
export type IndicatorStatus = Schemas["IndicatorStatus"];
export type IndicatorDetail = Schemas["IndicatorDetail"];
export type IndicatorReport = Schemas["IndicatorReportDraft"];
export type IndicatorReportChange = Schemas["IndicatorReportChange"];
export type IndicatorReporting = Schemas["IndicatorReporting"];
export type IndicatorDue = Schemas["IndicatorDue"];
export type IndicatorFiling = Schemas["IndicatorFiling"];
export type IndicatorFilingFile = Schemas["IndicatorFilingFile"];
export type IndicatorProof = Schemas["IndicatorProof"];
export type IndicatorInput = Schemas["IndicatorInput"];
export type RowLead = Schemas["RowLead"];
export type IndicatorFilings = Schemas["IndicatorFilings"];
export type IndicatorFilingDetail = Schemas["IndicatorFilingDetail"];
export type IndicatorComparison = Schemas["IndicatorComparison"];
export type IndicatorLock = Schemas["IndicatorLock"];
export type IndicatorCase = Schemas["IndicatorCase"];
export type IndicatorCases = Schemas["IndicatorCases"];

export type Projects = Schemas["Projects"];
export type ProjectItem = Schemas["ProjectItem"];
export type Forms = Schemas["Forms"];
export type FormItem = Schemas["FormItem"];
export type FormDue = Schemas["FormDue"];
export type FormDetail = Schemas["FormDetail"];
export type FormField = Schemas["FormField"];
export type FormSource = Schemas["FormSource"];
export type FormDispute = Schemas["FormDispute"];
export type FormDisputes = Schemas["FormDisputes"];
export type FormReturns = Schemas["FormReturns"];
export type FormBurden = Schemas["FormBurden"];
export type FormBurdenOfForm = Schemas["FormBurdenOfForm"];
export type FormBurdenOfDivision = Schemas["FormBurdenOfDivision"];
export type ProjectDetail = Schemas["ProjectDetail"];
export type ProjectKept = Schemas["ProjectKept"];
export type ProjectChange = Schemas["ProjectChange"];
export type ProjectDraft = Schemas["ProjectDraft"];
export type ProjectUnit = Schemas["ProjectUnit"];
export type ProjectStatus = Schemas["ProjectStatus"];
export type ProjectFinding = Schemas["ProjectFinding"];
export type ProjectMilestoneState = Schemas["ProjectMilestoneState"];
export type ProjectMilestoneStanding = Schemas["ProjectMilestoneStanding"];
export type ProjectReportState = Schemas["ProjectReportState"];
export type InvestmentPackage = Schemas["InvestmentPackage"];
export type InvestmentPackages = Schemas["InvestmentPackages"];
export type PackageContent = Schemas["PackageContent"];
export type PublicPackage = Schemas["PublicPackage"];
export type PublicPackageEntry = Schemas["PublicPackageEntry"];
export type PublicPackages = Schemas["PublicPackages"];
export type ProjectPhoto = Schemas["ProjectPhoto"];
export type ProjectPhotos = Schemas["ProjectPhotos"];
export type ProjectMonth = Schemas["ProjectMonth"];
export type ProjectTasks = Schemas["ProjectTasks"];
export type ProjectTaskItem = Schemas["ProjectTaskItem"];
export type ProjectTaskState = Schemas["ProjectTaskState"];
export type ProjectHistory = Schemas["ProjectHistory"];
export type ProjectHistoryEntry = Schemas["ProjectHistoryEntry"];
export type ProjectAssessment = Schemas["ProjectAssessment"];
export type ProjectUnitAssessment = Schemas["ProjectUnitAssessment"];

export type Overview = Schemas["Overview"];
export type Flow = Schemas["Flow"];
export type SystemState = Schemas["SystemState"];
export type SystemPart = Schemas["SystemPart"];
export type SystemRows = Schemas["SystemRows"];
export type AlertCounts = Schemas["AlertCounts"];
export type CaseCounts = Schemas["CaseCounts"];
export type TargetCounts = Schemas["TargetCounts"];
export type Replay = Schemas["Replay"];
