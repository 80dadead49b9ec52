namespace Graphene.Codegen;

/// <summary>Reads blocks and the statements in them.</summary>
internal sealed partial class KernelStatementParser(TextCursor cursor, KernelScope scope, KernelExpressionParser expressions)
{
    private const int DeepestNesting = 100;

    private int _depth;

    /// <summary>Reads a block, from its opening brace to its closing one.</summary>
    public KBlock Block()
    {
        cursor.SkipToStatement();
        cursor.Expect('{');
        if (++_depth > DeepestNesting)
        {
            throw cursor.Error($"blocks are nested more than {DeepestNesting} deep");
        }
        var statements = new List<KStmt>();
        var declared = new List<string>();
        while (true)
        {
            expressions.ReadShared();
            if (cursor.TryTake('}'))
            {
                break;
            }
            statements.Add(Statement(declared));
        }
        declared.ForEach(scope.Remove);
        _depth--;
        return new KBlock(statements);
    }

    private KStmt Statement(List<string> declared)
    {
        int start = cursor.Position;
        string word = KernelScope.ReadName(cursor);
        KStmt statement = word switch
        {
            "for" => For(),
            "while" => new KWhile(expressions.Read(new KType(DType.Bool)), Block()),
            "if" => If(),
            "let" => Let(declared),
            "register" => Register(declared),
            "scratch" or "shared" => Scratch(word == "shared"),
            "store" or "stream" or "scatter" => Store(word),
            "prefetch" or "prefetch_soon" => Prefetch(word == "prefetch_soon"),
            "tiles" => Tiles(),
            "zero_tile" or "load_tile" or "store_tile" or "dot_tiles" => TileStep(word),
            "barrier" => new KBarrier(),
            "warp_barrier" => new KWarpBarrier(),
            "exchange" => Exchange(declared),
            "async_copy" => AsyncCopy(),
            "async_commit" => new KAsyncCommit(),
            "async_wait" => new KAsyncWait(KernelScope.ReadCount(cursor)),
            "fragment_dot" => FragmentDot(start),
            "fragment_load" => FragmentLoad(declared),
            "phases" => PhaseInit(),
            "phase_arrive" => PhaseArrive(),
            "phase_wait" => PhaseWait(),
            "bulk_copy" => BulkCopy(),
            "roles" => Roles(),
            "warpgroup_dot" => WarpgroupDot(start),
            "warpgroup_fence" => new KWarpgroupFence(),
            "warpgroup_commit" => new KWarpgroupCommit(),
            "warpgroup_wait" => WarpgroupWait(),
            _ => Assign(start, word),
        };
        return (KernelRules.Problem(statement) ?? ThreadRules.Problem(statement, scope.HasThreads)
            ?? BulkRules.Problem(statement, scope.Threads)) is { } problem
            ? throw cursor.ErrorAt(start, problem)
            : statement;
    }

    private KFor For()
    {
        int at = cursor.Position;
        var variable = new KVariable(KernelScope.ReadName(cursor), KType.Index);
        Expect("from");
        KExpr begin = expressions.Read();
        Expect("to");
        KExpr end = expressions.Read();
        Expect("step");
        long step = cursor.Integer();
        int unroll = cursor.TryTakeWord("unroll") ? (int)Math.Clamp(cursor.Integer(), -1, int.MaxValue) : 0;
        scope.Declare(cursor, at, variable.Name, variable);
        KBlock body = Block();
        scope.Remove(variable.Name);
        return new KFor(variable, begin, end, step, body, unroll);
    }

    private KIf If()
    {
        KExpr condition = expressions.Read();
        KBlock then = Block();
        int end = cursor.Position;
        cursor.SkipToStatement();
        if (cursor.TryTakeWord("else"))
        {
            return new KIf(condition, then, Block());
        }
        cursor.Position = end;
        return new KIf(condition, then);
    }

    private KLet Let(List<string> declared)
    {
        int at = cursor.Position;
        (string name, KType type) = NameAndType();
        KExpr value = expressions.Read();
        var variable = new KVariable(name, type);
        scope.Declare(cursor, at, name, variable);
        declared.Add(name);
        return new KLet(variable, value);
    }

    private KDeclare Register(List<string> declared)
    {
        int at = cursor.Position;
        (string name, KType type) = NameAndType();
        KExpr value = expressions.Read();
        var register = new KRegister(name, type);
        scope.Declare(cursor, at, name, register);
        declared.Add(name);
        return new KDeclare(register, value);
    }

    private KScratch Scratch(bool isShared)
    {
        int at = cursor.Position;
        string name = KernelScope.ReadName(cursor);
        cursor.Expect(':');
        DType type = TypeText.ReadDType(cursor);
        cursor.Expect('[');
        long length = cursor.Integer();
        cursor.Expect(']');
        KBuffer? over = isShared && cursor.TryTakeWord("over") ? Named<KBuffer>("buffer") : null;
        int alignment = isShared && cursor.TryTakeWord("aligned") ? KernelScope.ReadCount(cursor) : SharedMemoryLayout.Alignment;
        KBuffer buffer = isShared ? KBuffer.Shared(name, type, length, over, alignment) : KBuffer.Scratch(name, type, length);
        scope.Declare(cursor, at, name, buffer);
        return new KScratch(buffer);
    }

    private KStmt Store(string word)
    {
        int alignment = 1;
        if (word != "scatter" && cursor.TryTake('['))
        {
            alignment = KernelScope.ReadCount(cursor);
            cursor.Expect(']');
        }
        KBuffer buffer = AccessedBuffer();
        KExpr index = expressions.Read();
        cursor.Expect(',');
        KExpr value = expressions.Read();
        KExpr? mask = cursor.TryTake(',') ? expressions.Read() : null;
        cursor.Expect(')');
        return word == "scatter"
            ? new KScatter(buffer, index, value, mask)
            : new KStore(buffer, index, value, mask, IsStreaming: word == "stream", alignment);
    }

    private KPrefetch Prefetch(bool isSoon)
    {
        KBuffer buffer = AccessedBuffer();
        KExpr index = expressions.Read();
        cursor.Expect(')');
        return new KPrefetch(buffer, index, isSoon);
    }

    // The first operand of a statement that accesses memory, with what stands around it.
    private KBuffer AccessedBuffer()
    {
        cursor.Expect('(');
        cursor.SkipBlanks();
        int at = cursor.Position;
        KBuffer buffer = scope.Find<KBuffer>(cursor, at, KernelScope.ReadName(cursor), "buffer");
        cursor.Expect(',');
        return buffer;
    }

    private KAssign Assign(int start, string name)
    {
        KRegister register = scope.Find<KRegister>(cursor, start, name, "statement or register");
        cursor.Expect(':');
        cursor.Expect('=');
        return new KAssign(register, expressions.Read());
    }

    private (string Name, KType Type) NameAndType()
    {
        string name = KernelScope.ReadName(cursor);
        cursor.Expect(':');
        cursor.SkipBlanks();
        int start = cursor.Position;
        if (!KType.TryParse(cursor.Word("a type"), out KType type))
        {
            throw cursor.ErrorAt(start, "expected a type such as f32 or i64x8");
        }
        cursor.Expect('=');
        return (name, type);
    }

    private void Expect(string word)
    {
        if (!cursor.TryTakeWord(word))
        {
            throw cursor.Error($"expected '{word}'");
        }
    }
}
