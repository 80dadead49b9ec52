namespace Graphene.Codegen;

/// <summary>Which variables and registers of a kernel have one value for all threads of a task, wherever they are read.</summary>
/// <remarks>
/// A variable has when what it is computed from has. A register has when all that is assigned to it has, and every
/// assignment is made by all threads that see the register: no branch or loop that threads take differently lies
/// between it and the declaration. Registers count as uniform until something says otherwise, so that those of loops
/// can be. A role is such a branch, too: what is uniform in it is so for it.
/// </remarks>
internal sealed class Uniformity
{
    private readonly HashSet<object> _differs = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<KRegister, KStmt?> _declared = new(ReferenceEqualityComparer.Instance);
    private bool _changed;

    public Uniformity(Kernel kernel)
    {
        _differs.Add(kernel.Threads!.Thread);
        do
        {
            _changed = false;
            Visit(kernel.Body, null);
        }
        while (_changed);
    }

    /// <summary>Whether a variable is the same for all threads.</summary>
    public bool IsUniform(KVariable variable) => !_differs.Contains(variable);

    /// <summary>Whether a register is the same for all threads.</summary>
    public bool IsUniform(KRegister register) => !_differs.Contains(register);

    /// <summary>Whether an expression is the same for all threads that compute it.</summary>
    public bool IsUniform(KExpr root)
    {
        var seen = new HashSet<KExpr>(ReferenceEqualityComparer.Instance);
        bool isUniform = true;
        KTraversal.PostOrder(root, seen.Contains, KTraversal.Operands, e =>
        {
            seen.Add(e);
            isUniform &= e switch
            {
                KVariable variable => IsUniform(variable),
                KRead read => IsUniform(read.Register),
                KLoad load => load.Buffer.Space != KBufferSpace.Scratch,
                KGather gather => gather.Buffer.Space != KBufferSpace.Scratch,
                _ => true,
            };
        });
        return isUniform;
    }

    // The innermost branch or loop that threads take differently is handed down.
    private void Visit(KBlock block, KStmt? split)
    {
        foreach (KStmt statement in block.Statements)
        {
            KStmt? inner = split;
            switch (statement)
            {
                case KLet let:
                    Note(let.Variable, IsUniform(let.Value));
                    break;
                case KDeclare declare:
                    _declared[declare.Register] = split;
                    Note(declare.Register, IsUniform(declare.Initial));
                    break;
                case KAssign assign:
                    Note(assign.Register, ReferenceEquals(_declared[assign.Register], split) && IsUniform(assign.Value));
                    break;
                case KExchange exchange:
                    Note(exchange.Variable, false);
                    break;
                case KFragmentLoad load:
                    Note(load.Variable, false);
                    break;
                case KFragmentDot dot:
                    Note(dot.Sum, false);
                    break;
                case KWarpgroupDot dot:
                    Note(dot.Sum, false);
                    break;
                case KRoles:
                    inner = statement;
                    break;
                case KFor loop:
                    bool isUniform = IsUniform(loop.Begin) && IsUniform(loop.End);
                    Note(loop.Variable, isUniform);
                    inner = isUniform ? split : statement;
                    break;
                case KWhile loop:
                    inner = IsUniform(loop.Condition) ? split : statement;
                    break;
                case KIf choice:
                    inner = IsUniform(choice.Condition) ? split : statement;
                    break;
            }
            foreach (KBlock nested in KTraversal.Blocks(statement))
            {
                Visit(nested, inner);
            }
        }
    }

    private void Note(object named, bool isUniform) => _changed |= !isUniform && _differs.Add(named);
}
