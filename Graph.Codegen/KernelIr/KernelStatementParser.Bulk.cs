namespace Graphene.Codegen;

/// <content>Barriers of phases, copies of boxes, roles and products of warpgroups.</content>
internal sealed partial class KernelStatementParser
{
    private KPhaseInit PhaseInit()
    {
        int at = cursor.Position;
        string name = KernelScope.ReadName(cursor);
        cursor.Expect(':');
        int count = KernelScope.ReadCount(cursor);
        Expect("of");
        var barriers = new KPhaseBarriers(name, count, KernelScope.ReadCount(cursor));
        scope.Declare(cursor, at, name, barriers);
        return new KPhaseInit(barriers);
    }

    private KPhaseArrive PhaseArrive()
    {
        int bytes = 0;
        if (cursor.TryTake('['))
        {
            bytes = KernelScope.ReadCount(cursor);
            cursor.Expect(']');
        }
        (KPhaseBarriers barriers, KExpr index) = Barrier();
        cursor.Expect(')');
        return new KPhaseArrive(barriers, index, bytes);
    }

    private KPhaseWait PhaseWait()
    {
        (KPhaseBarriers barriers, KExpr index) = Barrier();
        cursor.Expect(',');
        KExpr parity = expressions.Read();
        cursor.Expect(')');
        return new KPhaseWait(barriers, index, parity);
    }

    private (KPhaseBarriers Barriers, KExpr Index) Barrier()
    {
        cursor.Expect('(');
        var barriers = Named<KPhaseBarriers>("barrier of phases");
        cursor.Expect(',');
        return (barriers, expressions.Read());
    }

    private KBulkCopy BulkCopy()
    {
        KBuffer to = AccessedBuffer();
        KExpr index = expressions.Read();
        cursor.Expect(',');
        var from = Named<KTensorMap>("map");
        cursor.Expect(',');
        cursor.Expect('[');
        var at = new List<KExpr>();
        do
        {
            at.Add(expressions.Read());
        }
        while (cursor.TryTake(','));
        cursor.Expect(']');
        cursor.Expect(',');
        var barriers = Named<KPhaseBarriers>("barrier of phases");
        cursor.Expect(',');
        KExpr barrier = expressions.Read();
        cursor.Expect(')');
        return new KBulkCopy(to, index, from, at.ToValueList(), barriers, barrier);
    }

    private KRoles Roles()
    {
        var roles = new List<KRole>();
        while (true)
        {
            int end = cursor.Position;
            cursor.SkipToStatement();
            if (!cursor.TryTakeWord("warps"))
            {
                cursor.Position = end;
                return new KRoles(roles);
            }
            int first = KernelScope.ReadCount(cursor);
            Expect("to");
            roles.Add(new KRole(first, KernelScope.ReadCount(cursor), Block()));
        }
    }

    private KWarpgroupDot WarpgroupDot(int start)
    {
        cursor.Expect('[');
        (int columns, int depth) = (SizeAndComma(), SizeAndComma());
        DType left = TypeText.ReadDType(cursor);
        cursor.Expect(',');
        DType right = TypeText.ReadDType(cursor);
        cursor.Expect(',');
        DType sum = TypeText.ReadDType(cursor);
        cursor.Expect(']');
        var shape = new KWarpgroupShape(columns, depth, left, right, sum);
        if (shape.Problem is { } problem)
        {
            throw cursor.ErrorAt(start, problem);
        }
        cursor.Expect('(');
        KRegister register = Named<KRegister>("register");
        cursor.Expect(',');
        KSharedMatrix x = Matrix();
        cursor.Expect(',');
        KSharedMatrix y = Matrix();
        cursor.Expect(')');
        return new KWarpgroupDot(shape, register, x, y);
    }

    private KSharedMatrix Matrix()
    {
        bool isAlongDepth = cursor.TryTakeWord("along");
        if (!isAlongDepth)
        {
            Expect("across");
        }
        cursor.Expect('[');
        (int leading, int stride) = (SizeAndComma(), KernelScope.ReadCount(cursor));
        cursor.Expect(']');
        KBuffer buffer = AccessedBuffer();
        KExpr index = expressions.Read();
        cursor.Expect(')');
        return new KSharedMatrix(buffer, index, isAlongDepth, leading, stride);
    }

    private KWarpgroupWait WarpgroupWait()
    {
        int pending = KernelScope.ReadCount(cursor);
        var sums = new List<KRegister>();
        cursor.Expect('[');
        if (!cursor.TryTake(']'))
        {
            do
            {
                sums.Add(Named<KRegister>("register"));
            }
            while (cursor.TryTake(','));
            cursor.Expect(']');
        }
        return new KWarpgroupWait(pending, sums);
    }
}
