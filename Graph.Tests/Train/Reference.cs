using Graphene.Runtime;
using Graphene.Train;
using NUnit.Framework;

namespace Graphene.Tests.Training;

/// <summary>Runs layers, losses and optimizers on the reference evaluator.</summary>
internal static class Reference
{
    /// <summary>A tensor with numbers that look random and are small.</summary>
    public static Literal Numbers(params long[] shape)
    {
        var random = new RandomNumbers(RandomNumbers.KeyOf(shape.Length, string.Join('x', shape)));
        return Literal.Generate(new TensorType(DType.F32, Shape.Of(shape)), _ => Scalar.FromDouble(DType.F32, random.NextNormal()));
    }

    /// <summary>The result of a layer for an input with a symbolic batch, and the values of its weights.</summary>
    public static (Literal Output, Dictionary<string, Literal> Weights) Call(Layer layer, Literal input, bool training = false)
    {
        (Literal[] outputs, Dictionary<string, Literal> weights) = Call(layer, [input], training);
        return (outputs[0], weights);
    }

    /// <inheritdoc cref="Call(Layer, Literal, bool)"/>
    public static (Literal[] Outputs, Dictionary<string, Literal> Weights) Call(Layer layer, Literal[] inputs, bool training)
    {
        var graph = new Graph();
        var context = new LayerContext(graph, training, seed: 5);
        Tensor[] placeholders = [.. inputs.Select((x, i) => graph.Placeholder(x.DType, ["batch", .. x.Shape.Skip(1)], $"x{i}"))];
        Tensor output = layer.Call(context, placeholders);
        Assert.That(output.Shape[0].IsStatic, Is.False, "the batch stays symbolic");
        using var session = new Session(graph, new ReferenceCompiler());
        (Tensor, Feed)[] feeds = [.. placeholders.Zip(inputs).Select(p => (p.First, (Feed)p.Second))];
        Literal result = session.Run([output], feeds)[0];
        var weights = layer.Weights.ToDictionary(w => w.Name[(w.Name.IndexOf('/') + 1)..], w => w.InitialValue);
        if (training)
        {
            session.Run([], feeds, [.. context.Updates]);
            weights = layer.Weights.ToDictionary(w => w.Name[(w.Name.IndexOf('/') + 1)..], session.ValueOf);
        }
        return ([result], weights);
    }

    /// <summary>Requires each element of a literal to be near what a function gives for its index.</summary>
    public static void AreNear(Literal actual, Func<long[], double> expected, double tolerance = 1e-5)
    {
        Literal wanted = Literal.Generate(new TensorType(DType.F64, actual.Shape), at => Scalar.FromDouble(DType.F64, expected(at)));
        Assert.That(actual.ToDoubles(), Is.EqualTo(wanted.ToDoubles()).Within(tolerance));
    }

    /// <summary>An element as a double.</summary>
    public static double At(this Literal x, params long[] index) => x[(ReadOnlySpan<long>)index].AsDouble;
}
