namespace Graphene.Optimizer;

/// <summary>Estimates how many element computations the reference evaluation of a node takes.</summary>
internal static class EvaluationSteps
{
    public static double Of(Node node)
    {
        double results = Count(node.Types[0].Shape);
        return node.Op switch
        {
            DotGeneralOp dot => results * (1 + Product(dot.LhsContracting.Select(d => node.Operands[0].Shape[d]))),
            ConvolutionOp convolution => results * (1 + Count(node.Operands[1].Shape) /
                Math.Max(1, node.Operands[1].Shape[convolution.Dimensions.RhsOutputFeature].Value)),
            ReduceWindowOp window => results * BodySize(node) * (1 + Product(window.Window.Select(w => w.Size))),
            // Comparisons of a sort, steps of a scatter or reduction: each applies the body.
            { Computations.IsEmpty: false } => (results + node.Operands.Sum(o => Count(o.Shape))) * 20 * BodySize(node),
            _ => results,
        };
    }

    private static double BodySize(Node node) => node.Op.Computations.Max(c => c.PostOrder().Count);

    private static double Count(Shape shape) => Product(shape);

    private static double Product(IEnumerable<Dim> dims) => dims.Aggregate(1.0, (product, d) => product * d.Value);
}
