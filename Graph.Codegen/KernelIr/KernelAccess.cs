namespace Graphene.Codegen;

/// <summary>Which arguments the body of a kernel touches.</summary>
/// <remarks>
/// A fusion hands all of its operands to a kernel, which may read another form of one: packed weights stand in for the weights.
/// What is not touched need not be passed, and a constant that nobody is passed need not be kept.
/// </remarks>
internal static class KernelAccess
{
    /// <summary>One flag per argument: whether the kernel reads or writes it.</summary>
    public static bool[] Touched(Kernel kernel)
    {
        var touched = new bool[kernel.Arguments.Count];
        void Touch(KBuffer buffer)
        {
            if (!buffer.IsScratch)
            {
                touched[buffer.Argument] = true;
            }
        }

        var seen = new HashSet<KExpr>(ReferenceEqualityComparer.Instance);
        void TouchAll(KExpr root) => KTraversal.PostOrder(root, seen.Contains, KTraversal.Operands, e =>
        {
            seen.Add(e);
            switch (e)
            {
                case KLoad load: Touch(load.Buffer); break;
                case KGather gather: Touch(gather.Buffer); break;
            }
        });

        foreach (KTensorMap map in kernel.Maps)
        {
            Touch(map.Source);
        }
        var blocks = new Stack<KBlock>([kernel.Body]);
        while (blocks.TryPop(out KBlock? block))
        {
            foreach (KStmt statement in block.Statements)
            {
                switch (statement)
                {
                    case KStore store: Touch(store.Buffer); break;
                    case KScatter scatter: Touch(scatter.Buffer); break;
                    case KPrefetch prefetch: Touch(prefetch.Buffer); break;
                    case KTileLoad load: Touch(load.Buffer); break;
                    case KTileStore store: Touch(store.Buffer); break;
                    case KAsyncCopy copy: Touch(copy.From); break;
                }
                foreach (KExpr e in KTraversal.Operands(statement))
                {
                    TouchAll(e);
                }
                foreach (KBlock inner in KTraversal.Blocks(statement))
                {
                    blocks.Push(inner);
                }
            }
        }
        return touched;
    }
}
