using Graphene.Runtime;
using Graphene.Train;

namespace Graphene.Samples;

/// <summary>A line through noisy points, built from tensors and variables alone.</summary>
public static class LinearRegression
{
    /// <summary>The line that the points lie around.</summary>
    public const double Slope = 2, Offset = -1;

    /// <summary>Finds the line by gradient descent.</summary>
    public static (double Slope, double Offset) Run(IGraphCompiler compiler, int steps = 300)
    {
        var random = new RandomNumbers(7);
        float[] xs = [.. Enumerable.Range(0, 256).Select(_ => (float)((2 * random.NextUniform()) - 1))];
        float[] ys = [.. xs.Select(x => (float)((Slope * x) + Offset + (0.05 * random.NextNormal())))];

        var graph = new Graph("line");
        Variable slope = graph.Variable(Literal.From([0f]), "slope");
        Variable offset = graph.Variable(Literal.From([0f]), "offset");
        Tensor x = graph.Placeholder(DType.F32, ["points"], "x");
        Tensor y = graph.Placeholder(DType.F32, ["points"], "y");
        Tensor loss = ((x * slope.Read()) + offset.Read() - y).Square().ReduceMean();
        Operation step = new SGD(0.1).Minimize(loss, [slope, offset]);

        using var session = new Session(graph, compiler);
        for (int i = 0; i < steps; i++)
        {
            session.Run([], [(x, xs), (y, ys)], [step]);
        }
        return (session.ValueOf(slope)[0].AsDouble, session.ValueOf(offset)[0].AsDouble);
    }
}
