/**
 * Tokens to a concrete syntax tree. Each rule is the production of the same name in `zkl.ebnf`; a test derives the
 * productions from this class and compares. LL(2), with chevrotain's error recovery.
 */
import { CstParser, EOF, MismatchedTokenException, type CstNode, type IToken, type TokenType } from 'chevrotain';
import { expectations, expectedEnd } from './messages.ts';
import { HEAD, ITEM_KEYWORDS, keyword, NAME, NUMBER, sign, STATEMENT_KEYWORDS, STRING, VOCABULARY } from './tokens.ts';

/** What may follow a complete statement (or item). */
const BOUNDARY = new Set([HEAD, ...STATEMENT_KEYWORDS, ...ITEM_KEYWORDS, sign['}'], EOF]);
const ITEM_BOUNDARY = new Set([...ITEM_KEYWORDS, EOF]);

const operator = { LABEL: 'operator' };

export class ZklParser extends CstParser {
  constructor(validate = false) {
    super(VOCABULARY, {
      maxLookahead: 2,
      recoveryEnabled: true,
      nodeLocationTracking: 'onlyOffset',
      errorMessageProvider: expectations,
      skipValidations: !validate,
    });
    this.performSelfAnalysis();
  }

  /** Reads a whole program. What is wrong with it is in `errors` afterwards. */
  parse(tokens: IToken[]): CstNode {
    this.input = tokens;
    return this.program();
  }

  /** Recovery by insertion never invents what the author must choose. */
  override canTokenTypeBeInsertedInRecovery(type: TokenType): boolean {
    return type !== NAME && type !== HEAD && type !== NUMBER && type !== STRING;
  }

  /** Recovery by deletion never skips the beginning of another statement. */
  override canTokenTypeBeDeletedInRecovery(): boolean {
    return !BOUNDARY.has(this.LA(1).tokenType);
  }

  program = this.RULE('program', () => {
    this.MANY(() => this.SUBRULE(this.import));
    this.MANY2(() => this.SUBRULE(this.item));
  });

  import = this.RULE('import', () => {
    this.CONSUME(keyword.import);
    this.CONSUME(sign['{']);
    this.AT_LEAST_ONE_SEP({ SEP: sign[','], DEF: () => this.CONSUME(NAME) });
    this.CONSUME(sign['}']);
    this.CONSUME(keyword.from);
    this.CONSUME(STRING);
    this.#endOf('import', ITEM_BOUNDARY);
  });

  item = this.RULE('item', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.block) },
      { ALT: () => this.SUBRULE(this.table) },
      { ALT: () => this.SUBRULE(this.optimizer) },
      { ALT: () => this.SUBRULE(this.model) },
    ]);
    this.#endOf('item', ITEM_BOUNDARY);
  });

  block = this.RULE('block', () => {
    this.CONSUME(keyword.block);
    this.CONSUME(NAME);
    this.OPTION(() => {
      this.CONSUME(sign['<']);
      this.AT_LEAST_ONE_SEP({ SEP: sign[','], DEF: () => this.CONSUME2(NAME, { LABEL: 'dim' }) });
      this.CONSUME(sign['>']);
    });
    this.SUBRULE(this.params);
    this.CONSUME(sign['->']);
    this.SUBRULE(this.results);
    this.CONSUME(sign['{']);
    this.MANY(() => this.SUBRULE(this.statement));
    this.OPTION2(() => this.SUBRULE(this.derivative));
    this.CONSUME(sign['}']);
  });

  derivative = this.RULE('derivative', () => {
    this.CONSUME(keyword.derivative);
    this.SUBRULE(this.params);
    this.CONSUME(sign['->']);
    this.SUBRULE(this.results);
    this.CONSUME(sign['{']);
    this.MANY(() => this.SUBRULE(this.statement));
    this.CONSUME(sign['}']);
  });

  optimizer = this.RULE('optimizer', () => {
    this.CONSUME(keyword.optimizer);
    this.CONSUME(NAME);
    this.SUBRULE(this.params);
    this.CONSUME(sign['{']);
    this.MANY(() => this.SUBRULE(this.state));
    this.MANY2(() => this.SUBRULE(this.statement));
    this.CONSUME(sign['}']);
  });

  table = this.RULE('table', () => {
    this.CONSUME(keyword.table);
    this.CONSUME(NAME);
    this.OPTION(() => {
      this.CONSUME(sign['<']);
      this.AT_LEAST_ONE_SEP({ SEP: sign[','], DEF: () => this.CONSUME2(NAME, { LABEL: 'dim' }) });
      this.CONSUME(sign['>']);
    });
    this.CONSUME(sign['(']);
    this.CONSUME3(NAME, { LABEL: 'parameter' });
    this.CONSUME(sign[':']);
    this.SUBRULE(this.type);
    this.OPTION2(() => this.SUBRULE(this.domain));
    this.CONSUME(sign[')']);
    this.CONSUME(sign['->']);
    this.SUBRULE2(this.type, { LABEL: 'output' });
    this.CONSUME(sign['=']);
    this.SUBRULE(this.value);
  });

  domain = this.RULE('domain', () => {
    this.CONSUME(keyword.in);
    this.CONSUME(sign['[']);
    this.SUBRULE(this.value);
    this.CONSUME(sign[',']);
    this.SUBRULE2(this.value);
    this.CONSUME(sign[']']);
    this.OPTION(() => this.CONSUME(keyword.saturate));
  });

  model = this.RULE('model', () => {
    this.CONSUME(keyword.model);
    this.CONSUME(NAME);
    this.OPTION(() => {
      this.CONSUME(keyword.at);
      this.CONSUME(STRING);
    });
    this.CONSUME(sign['{']);
    this.MANY(() => this.SUBRULE(this.statement));
    this.OPTION2(() => this.SUBRULE(this.train));
    this.CONSUME(sign['}']);
  });

  train = this.RULE('train', () => {
    this.CONSUME(keyword.train);
    this.CONSUME(sign['{']);
    this.MANY(() => this.SUBRULE(this.statement));
    this.SUBRULE(this.minimize);
    this.CONSUME(sign['}']);
  });

  minimize = this.RULE('minimize', () => {
    this.CONSUME(keyword.minimize);
    this.CONSUME(NAME);
    this.CONSUME(keyword.over);
    this.AT_LEAST_ONE_SEP({ SEP: sign[','], DEF: () => this.SUBRULE(this.weights) });
    this.CONSUME(keyword.by);
    this.CONSUME2(NAME, { LABEL: 'by' });
    this.CONSUME(sign['(']);
    this.SUBRULE(this.arguments);
    this.CONSUME(sign[')']);
  });

  weights = this.RULE('weights', () => {
    this.CONSUME(NAME);
    this.OPTION(() => this.CONSUME(STRING));
  });

  params = this.RULE('params', () => {
    this.CONSUME(sign['(']);
    this.MANY_SEP({ SEP: sign[','], DEF: () => this.SUBRULE(this.param) });
    this.CONSUME(sign[')']);
  });

  param = this.RULE('param', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(keyword.const);
          this.CONSUME(NAME);
        },
      },
      {
        ALT: () => {
          this.CONSUME(keyword.source);
          this.CONSUME2(NAME);
          this.OPTION(() => {
            this.CONSUME(sign['=']);
            this.CONSUME3(NAME, { LABEL: 'default' });
          });
        },
      },
      { ALT: () => this.SUBRULE(this.tensor) },
    ]);
  });

  results = this.RULE('results', () => {
    this.AT_LEAST_ONE_SEP({ SEP: sign[','], DEF: () => this.SUBRULE(this.tensor) });
  });

  tensor = this.RULE('tensor', () => {
    this.CONSUME(NAME);
    this.OPTION(() => this.SUBRULE(this.axes));
    this.OPTION2(() => {
      this.CONSUME(sign[':']);
      this.SUBRULE(this.type);
    });
  });

  type = this.RULE('type', () => {
    this.OR([{ ALT: () => this.CONSUME(keyword.fixed) }, { ALT: () => this.CONSUME(keyword.index) }]);
    this.CONSUME(sign['<']);
    this.AT_LEAST_ONE_SEP({ SEP: sign[','], DEF: () => this.SUBRULE(this.index) });
    this.CONSUME(sign['>']);
  });

  axes = this.RULE('axes', () => {
    this.CONSUME(sign['[']);
    this.AT_LEAST_ONE_SEP({ SEP: sign[','], DEF: () => this.SUBRULE(this.axis) });
    this.CONSUME(sign[']']);
  });

  axis = this.RULE('axis', () => {
    this.SUBRULE(this.index);
    this.OPTION(() => {
      this.CONSUME(sign[':']);
      this.SUBRULE2(this.index, { LABEL: 'range' });
    });
  });

  statement = this.RULE('statement', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.dims) },
      { ALT: () => this.SUBRULE(this.sources) },
      { ALT: () => this.SUBRULE(this.consts) },
      { ALT: () => this.SUBRULE(this.repeat) },
      { ALT: () => this.SUBRULE(this.declare) },
      { ALT: () => this.SUBRULE(this.define) },
    ]);
    this.#endOf('statement', BOUNDARY);
  });

  dims = this.RULE('dims', () => {
    this.CONSUME(keyword.dim);
    this.AT_LEAST_ONE_SEP({ SEP: sign[','], DEF: () => this.SUBRULE(this.dim) });
  });

  dim = this.RULE('dim', () => {
    this.CONSUME(NAME);
    this.CONSUME(sign['=']);
    this.SUBRULE(this.index);
  });

  sources = this.RULE('sources', () => {
    this.CONSUME(keyword.source);
    this.OPTION(() => this.CONSUME(keyword.state));
    this.AT_LEAST_ONE_SEP({ SEP: sign[','], DEF: () => this.CONSUME(NAME) });
  });

  consts = this.RULE('consts', () => {
    this.CONSUME(keyword.const);
    this.AT_LEAST_ONE_SEP({ SEP: sign[','], DEF: () => this.SUBRULE(this.constant) });
  });

  constant = this.RULE('constant', () => {
    this.CONSUME(NAME);
    this.OPTION(() => this.SUBRULE(this.axes));
    this.CONSUME(sign['=']);
    this.SUBRULE(this.value);
  });

  state = this.RULE('state', () => {
    this.CONSUME(keyword.state);
    this.CONSUME(NAME);
    this.CONSUME(sign[':']);
    this.SUBRULE(this.type);
    this.CONSUME(sign['=']);
    this.SUBRULE(this.value);
    this.#endOf('statement', BOUNDARY);
  });

  repeat = this.RULE('repeat', () => {
    this.CONSUME(keyword.repeat);
    this.CONSUME(NAME);
    this.CONSUME(sign[':']);
    this.SUBRULE(this.index);
    this.OPTION(() => {
      this.CONSUME(keyword.at);
      this.CONSUME(STRING);
    });
    this.CONSUME(sign['{']);
    this.MANY(() => this.SUBRULE(this.statement));
    this.CONSUME(sign['}']);
  });

  declare = this.RULE('declare', () => {
    this.OR([
      { ALT: () => this.CONSUME(keyword.public) },
      { ALT: () => this.CONSUME(keyword.secret) },
      { ALT: () => this.CONSUME(keyword.open) },
    ]);
    this.CONSUME(NAME);
    this.OPTION(() => this.SUBRULE(this.axes));
    this.OR2([
      { ALT: () => this.SUBRULE(this.given) },
      {
        ALT: () => {
          this.CONSUME(sign['=']);
          this.SUBRULE(this.value);
        },
      },
    ]);
  });

  given = this.RULE('given', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(sign[':']);
          this.SUBRULE(this.type);
          this.OPTION(() => this.SUBRULE(this.file));
        },
      },
      { ALT: () => this.SUBRULE2(this.file) },
    ]);
  });

  file = this.RULE('file', () => {
    this.CONSUME(keyword.from);
    this.CONSUME(NAME);
    this.CONSUME(STRING);
  });

  define = this.RULE('define', () => {
    this.CONSUME(HEAD);
    this.OPTION(() => this.SUBRULE(this.axes));
    this.CONSUME(sign['=']);
    this.SUBRULE(this.value);
  });

  value = this.RULE('value', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(keyword.if);
          this.SUBRULE(this.guard);
          this.CONSUME(keyword.then);
          this.SUBRULE(this.value);
          this.CONSUME(keyword.else);
          this.SUBRULE2(this.value);
        },
      },
      { ALT: () => this.SUBRULE(this.sum) },
    ]);
  });

  sum = this.RULE('sum', () => {
    this.SUBRULE(this.product);
    this.MANY(() => {
      this.OR([{ ALT: () => this.CONSUME(sign['+'], operator) }, { ALT: () => this.CONSUME(sign['-'], operator) }]);
      this.SUBRULE2(this.product);
    });
  });

  product = this.RULE('product', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(sign['-']);
          this.SUBRULE(this.product);
        },
      },
      { ALT: () => this.SUBRULE(this.reduction) },
      {
        ALT: () => {
          this.SUBRULE(this.power);
          this.OPTION(() => {
            this.OR2([
              { ALT: () => this.CONSUME(sign['*'], operator) },
              { ALT: () => this.CONSUME(sign['/'], operator) },
            ]);
            this.SUBRULE2(this.product);
          });
        },
      },
    ]);
  });

  reduction = this.RULE('reduction', () => {
    this.OR([
      { ALT: () => this.CONSUME(keyword.sum, operator) },
      { ALT: () => this.CONSUME(keyword.max, operator) },
      { ALT: () => this.CONSUME(keyword.argmax, operator) },
    ]);
    this.CONSUME(sign['(']);
    this.AT_LEAST_ONE_SEP({ SEP: sign[','], DEF: () => this.SUBRULE(this.axis) });
    this.OPTION(() => {
      this.CONSUME(keyword.if);
      this.SUBRULE(this.guard);
    });
    this.CONSUME(sign[')']);
    this.SUBRULE(this.product);
  });

  power = this.RULE('power', () => {
    this.SUBRULE(this.view);
    this.OPTION(() => {
      this.CONSUME(sign['^']);
      this.SUBRULE(this.exponent);
    });
  });

  exponent = this.RULE('exponent', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(sign['-']);
          this.SUBRULE(this.exponent);
        },
      },
      { ALT: () => this.SUBRULE(this.power) },
    ]);
  });

  view = this.RULE('view', () => {
    this.SUBRULE(this.atom);
    this.OPTION(() => {
      this.CONSUME(keyword.as);
      this.SUBRULE(this.axes);
    });
  });

  atom = this.RULE('atom', () => {
    this.OR([
      { ALT: () => this.CONSUME(NUMBER) },
      {
        ALT: () => {
          this.CONSUME(sign['(']);
          this.SUBRULE(this.value);
          this.CONSUME(sign[')']);
        },
      },
      {
        ALT: () => {
          this.CONSUME(sign['[']);
          this.SUBRULE(this.guard);
          this.CONSUME(sign[']']);
        },
      },
      {
        ALT: () => {
          this.CONSUME(NAME);
          this.OPTION(() => {
            this.OR2([{ ALT: () => this.SUBRULE(this.axes) }, { ALT: () => this.SUBRULE(this.call) }]);
          });
        },
      },
    ]);
  });

  call = this.RULE('call', () => {
    this.OPTION(() => {
      this.CONSUME(sign['<']);
      this.AT_LEAST_ONE_SEP({ SEP: sign[','], DEF: () => this.SUBRULE(this.dimarg) });
      this.CONSUME(sign['>']);
    });
    this.CONSUME(sign['(']);
    this.SUBRULE(this.arguments);
    this.CONSUME(sign[')']);
    this.OPTION2(() => {
      this.CONSUME(keyword.at);
      this.CONSUME(STRING);
    });
  });

  dimarg = this.RULE('dimarg', () => {
    this.OPTION(() => {
      this.CONSUME(NAME);
      this.CONSUME(sign['=']);
    });
    this.SUBRULE(this.index);
  });

  arguments = this.RULE('arguments', () => {
    this.MANY_SEP({ SEP: sign[','], DEF: () => this.SUBRULE(this.argument) });
  });

  argument = this.RULE('argument', () => {
    this.OPTION(() => {
      this.CONSUME(NAME);
      this.CONSUME(sign['=']);
    });
    this.SUBRULE(this.value);
  });

  guard = this.RULE('guard', () => {
    this.AT_LEAST_ONE_SEP({ SEP: keyword.and, DEF: () => this.SUBRULE(this.compare) });
  });

  compare = this.RULE('compare', () => {
    this.SUBRULE(this.index);
    this.OR([
      { ALT: () => this.CONSUME(sign['<'], operator) },
      { ALT: () => this.CONSUME(sign['<='], operator) },
      { ALT: () => this.CONSUME(sign['=='], operator) },
      { ALT: () => this.CONSUME(sign['!='], operator) },
      { ALT: () => this.CONSUME(sign['>='], operator) },
      { ALT: () => this.CONSUME(sign['>'], operator) },
    ]);
    this.SUBRULE2(this.index);
  });

  index = this.RULE('index', () => {
    this.OPTION(() => this.CONSUME(sign['-']));
    this.SUBRULE(this.scaled);
    this.MANY(() => {
      this.OR([{ ALT: () => this.CONSUME(sign['+'], operator) }, { ALT: () => this.CONSUME2(sign['-'], operator) }]);
      this.SUBRULE2(this.scaled);
    });
  });

  scaled = this.RULE('scaled', () => {
    this.SUBRULE(this.point);
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(sign['*'], operator) },
        { ALT: () => this.CONSUME(sign['/'], operator) },
        { ALT: () => this.CONSUME(keyword.div, operator) },
        { ALT: () => this.CONSUME(keyword.mod, operator) },
      ]);
      this.SUBRULE2(this.point);
    });
  });

  point = this.RULE('point', () => {
    this.OR([
      { ALT: () => this.CONSUME(NUMBER) },
      {
        ALT: () => {
          this.CONSUME(sign['(']);
          this.SUBRULE(this.index);
          this.CONSUME(sign[')']);
        },
      },
      {
        ALT: () => {
          this.CONSUME(NAME);
          this.OPTION(() => this.SUBRULE(this.axes));
        },
      },
    ]);
  });

  /**
   * Reports what stands between two statements here, inside the statement's own rule, so that recovery skips to the
   * next statement instead of giving up the whole body.
   */
  #endOf(what: 'import' | 'item' | 'statement', boundary: ReadonlySet<TokenType>): void {
    this.ACTION(() => {
      if (boundary.has(this.LA(1).tokenType)) return;
      const error = new MismatchedTokenException(expectedEnd(what, this.LA(0)), this.LA(1), this.LA(0));
      this.errors = [...this.errors, error];
      throw error;
    });
  }
}
