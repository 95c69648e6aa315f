/** Which changes `npm run mutants` can make to a file, in the order of the text. Types are left alone: no test could notice. */
import ts from 'typescript';

export interface Mutant {
  readonly file: string;
  readonly operator: string;
  /** The span that is replaced, and by what. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The change's name, the text that it replaces, and the new text. */
type Change = readonly [operator: string, span: ts.Node, text: string];

const { SyntaxKind } = ts;

const OPERATORS: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [SyntaxKind.LessThanToken, '<='],
  [SyntaxKind.LessThanEqualsToken, '<'],
  [SyntaxKind.GreaterThanToken, '>='],
  [SyntaxKind.GreaterThanEqualsToken, '>'],
  [SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [SyntaxKind.ExclamationEqualsEqualsToken, '==='],
  [SyntaxKind.AmpersandAmpersandToken, '||'],
  [SyntaxKind.BarBarToken, '&&'],
  [SyntaxKind.PlusToken, '-'],
  [SyntaxKind.MinusToken, '+'],
  [SyntaxKind.PlusEqualsToken, '-='],
  [SyntaxKind.MinusEqualsToken, '+='],
]);

export function mutantsOf(file: string, source: string): Mutant[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ESNext, true);
  const found: Mutant[] = [];
  const visit = (node: ts.Node): void => {
    if (isNoCode(node)) return;
    for (const [operator, span, text] of changesOf(node)) found.push({ file, operator, start: span.getStart(), end: span.getEnd(), text });
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found.sort((a, b) => a.start - b.start);
}

export const mutated = (source: string, { start, end, text }: Mutant): string => source.slice(0, start) + text + source.slice(end);

const isNoCode = (node: ts.Node): boolean =>
  ts.isTypeNode(node) ||
  ts.isTypeAliasDeclaration(node) ||
  ts.isInterfaceDeclaration(node) ||
  ts.isImportDeclaration(node) ||
  ts.isExportDeclaration(node);

function changesOf(node: ts.Node): Change[] {
  if (ts.isBinaryExpression(node)) return changesOfBinary(node);
  if (ts.isIfStatement(node)) return ['true', 'false'].map((value) => [`if (${value})`, node.expression, value]);
  if (node.kind === SyntaxKind.TrueKeyword) return [['boolean', node, 'false']];
  if (node.kind === SyntaxKind.FalseKeyword) return [['boolean', node, 'true']];
  if (ts.isNumericLiteral(node)) return [['number + 1', node, String(Number(node.text) + 1)]];
  if (ts.isStringLiteralLike(node) && node.text !== '') return [['empty string', node, "''"]];
  if (isAwaitedCall(node)) return [['call removed', node, ';']];
  if (ts.isArrayLiteralExpression(node) && node.elements.length > 0 && isReturned(node)) return [['empty array', node, '[]']];
  if (ts.isObjectLiteralExpression(node) && node.properties.length > 0 && isReturned(node)) return [['empty object', node, '{}']];
  return [];
}

function changesOfBinary(node: ts.BinaryExpression): Change[] {
  const { operatorToken, left } = node;
  if (operatorToken.kind === SyntaxKind.QuestionQuestionToken) return [['no ??', node, left.getText()]];
  const other = OPERATORS.get(operatorToken.kind);
  // text less text is no number: everybody would notice
  if (other === undefined || isText(node)) return [];
  return [[`${operatorToken.getText()} → ${other}`, operatorToken, other]];
}

const isText = (node: ts.Node): boolean =>
  ts.isStringLiteralLike(node) ||
  ts.isTemplateExpression(node) ||
  (ts.isBinaryExpression(node) && node.operatorToken.kind === SyntaxKind.PlusToken && (isText(node.left) || isText(node.right)));

const isAwaitedCall = (node: ts.Node): boolean =>
  ts.isExpressionStatement(node) && ts.isAwaitExpression(node.expression) && ts.isCallExpression(node.expression.expression);

function isReturned(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isParenthesizedExpression(parent)) return isReturned(parent);
  return ts.isReturnStatement(parent) || (ts.isArrowFunction(parent) && parent.body === node);
}
