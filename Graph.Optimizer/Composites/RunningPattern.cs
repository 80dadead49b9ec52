namespace Graphene.Optimizer;

/// <summary>Finds reductions of all elements up to each one; see <see cref="RunningForm"/>.</summary>
internal static class RunningPattern
{
    /// <summary>A composite in place of a reduce_window; null when it is none.</summary>
    public static Node? TryRewrite(GraphBuilder b, Node node)
    {
        if (RunningForm.TryOf(node) is not { } form)
        {
            return null;
        }
        var body = new DecompositionBuilder(b);
        Node window = body.Inside.Add(node.Op, body.Parameter(node.Operands[0]), body.Inside.Constant(form.Initial));
        return b.Composite(RunningForm.Kind, body.Inside.Build(RunningForm.Kind, [window]), [.. body.Operands])[0];
    }
}
