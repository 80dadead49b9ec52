namespace Graphene.Optimizer;

/// <summary>Sees tensors without their dimensions of size 1, which importers add and drop freely.</summary>
internal static class UnitDims
{
    /// <summary>The dimensions that are not 1.</summary>
    public static Dim[] Without(Shape shape) => [.. shape.Where(d => d != 1)];

    /// <summary>For each dimension its number among those that are not 1; -1 for one that is.</summary>
    public static int[] Numbers(Shape shape)
    {
        var numbers = new int[shape.Rank];
        int next = 0;
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = shape[i] == 1 ? -1 : next++;
        }
        return numbers;
    }

    /// <summary>The numbers, among dimensions that are not 1, of some dimensions; those of size 1 are left out.</summary>
    public static int[] Numbers(Shape shape, Axes axes)
    {
        int[] numbers = Numbers(shape);
        return [.. axes.Select(axis => numbers[axis]).Where(number => number >= 0)];
    }

    /// <summary>The value behind reshapes that only add or drop dimensions of size 1.</summary>
    public static Node Skip(Node node)
    {
        while (node is { Op: ReshapeOp, Operands: [var x] } && Without(node.Shape).SequenceEqual(Without(x.Shape)))
        {
            node = x;
        }
        return node;
    }
}
