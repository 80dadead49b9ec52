namespace Graphene;

/// <summary>One result of an op with several.</summary>
/// <param name="Index">Which one.</param>
public sealed record GetTupleElementOp(int Index) : Op("get_tuple_element")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new GetTupleElementOp(a.Int("index"));

    /// <inheritdoc/>
    public override bool MovesDataOnly => true;

    /// <inheritdoc/>
    public override void Write(AttributeWriter w) => w.Add("index", Index);

    /// <inheritdoc/>
    protected override TensorType InferType(OpSite site)
    {
        site.RequireOperands(1);
        site.Require(
            Index >= 0 && Index < site.OperandNode(0).Types.Length, DiagnosticId.BadAttribute,
            $"there is no result {Index}; {site.OperandNode(0).Op.Name} has {site.OperandNode(0).Types.Length}");
        return site.OperandNode(0).Types[Index];
    }

    /// <inheritdoc/>
    public override GradientRule Gradient => GradientRule.Defined;

    /// <summary>Walks treat it as the name of a result; there is nothing to ask.</summary>
    public override Node?[] VjpAll(VjpSite site) => throw new InvalidOperationException("a tuple access passes no cotangents on");
}

/// <summary>Takes results apart.</summary>
public static class GetTupleElementBuilder
{
    /// <summary>Result <paramref name="index"/> of <paramref name="x"/>; <paramref name="x"/> itself when it has only one.</summary>
    public static Node GetTupleElement(this GraphBuilder b, Node x, int index) =>
        x.Types.Length == 1 && index == 0 ? x : b.Add(new GetTupleElementOp(index), x);

    /// <summary>All results of <paramref name="x"/>, one node each.</summary>
    public static Node[] Results(this GraphBuilder b, Node x) =>
        [.. Enumerable.Range(0, x.Types.Length).Select(i => b.GetTupleElement(x, i))];
}
