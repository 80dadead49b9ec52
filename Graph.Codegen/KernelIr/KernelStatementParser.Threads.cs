namespace Graphene.Codegen;

/// <content>What threads do together.</content>
internal sealed partial class KernelStatementParser
{
    private KExchange Exchange(List<string> declared)
    {
        int at = cursor.Position;
        (string name, KType type) = NameAndType();
        KExchangeKind kind =
            cursor.TryTakeWord("lane") ? KExchangeKind.Lane
            : cursor.TryTakeWord("xor") ? KExchangeKind.Xor
            : cursor.TryTakeWord("up") ? KExchangeKind.Up
            : cursor.TryTakeWord("down") ? KExchangeKind.Down
            : throw cursor.Error("expected lane, xor, up or down");
        cursor.Expect('(');
        KExpr value = expressions.Read();
        cursor.Expect(',');
        KExpr operand = expressions.Read();
        cursor.Expect(')');
        return new KExchange(Declare(at, name, type, declared), value, kind, operand);
    }

    private KAsyncCopy AsyncCopy()
    {
        cursor.Expect('[');
        int lanes = KernelScope.ReadCount(cursor);
        cursor.Expect(']');
        cursor.Expect('(');
        KBuffer to = Named<KBuffer>("buffer");
        cursor.Expect(',');
        KExpr toIndex = expressions.Read();
        cursor.Expect(',');
        KBuffer from = Named<KBuffer>("buffer");
        cursor.Expect(',');
        KExpr fromIndex = expressions.Read();
        KExpr? condition = cursor.TryTake(',') ? expressions.Read() : null;
        cursor.Expect(')');
        return new KAsyncCopy(to, toIndex, from, fromIndex, lanes, condition);
    }

    private KFragmentDot FragmentDot(int start)
    {
        cursor.Expect('[');
        (int rows, int columns, int depth) = (SizeAndComma(), SizeAndComma(), SizeAndComma());
        DType left = TypeText.ReadDType(cursor);
        cursor.Expect(',');
        DType right = TypeText.ReadDType(cursor);
        cursor.Expect(',');
        DType sum = TypeText.ReadDType(cursor);
        cursor.Expect(']');
        var shape = new KFragmentShape(rows, columns, depth, left, right, sum);
        if (ThreadRules.Problem(shape) is { } problem)
        {
            throw cursor.ErrorAt(start, problem);
        }
        cursor.Expect('(');
        KRegister register = Named<KRegister>("register");
        cursor.Expect(',');
        KExpr x = expressions.Read();
        cursor.Expect(',');
        KExpr y = expressions.Read();
        cursor.Expect(')');
        return new KFragmentDot(shape, register, x, y);
    }

    private KFragmentLoad FragmentLoad(List<string> declared)
    {
        int at = cursor.Position;
        (string name, KType type) = NameAndType();
        bool isTransposed = cursor.TryTakeWord("columns");
        if (!isTransposed)
        {
            Expect("rows");
        }
        cursor.Expect('[');
        int count = KernelScope.ReadCount(cursor);
        cursor.Expect(']');
        KBuffer buffer = AccessedBuffer();
        KExpr index = expressions.Read();
        cursor.Expect(')');
        return new KFragmentLoad(Declare(at, name, type, declared), buffer, index, count, isTransposed);
    }

    private KVariable Declare(int at, string name, KType type, List<string> declared)
    {
        var variable = new KVariable(name, type);
        scope.Declare(cursor, at, name, variable);
        declared.Add(name);
        return variable;
    }

    private int SizeAndComma()
    {
        int size = KernelScope.ReadCount(cursor);
        cursor.Expect(',');
        return size;
    }
}
