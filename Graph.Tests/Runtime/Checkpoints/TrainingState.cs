using Graphene.Runtime;

namespace Graphene.Tests.Runtime.Checkpoints;

/// <summary>A graph with variables of several types whose every element says which step they are of.</summary>
internal sealed class TrainingState : IDisposable
{
    private readonly Variable[] _variables;

    public TrainingState(int elements)
    {
        Graph = new Graph();
        _variables =
        [
            Graph.Variable(Filled(DType.F32, 0, elements / 4, 4), "dense/kernel"),
            Graph.Variable(Filled(DType.F64, 0, elements), "dense/moment"),
            Graph.Variable(Filled(DType.BF16, 0, elements), "scale"),
            Graph.Variable(Filled(DType.I64, 0), "step"),
        ];
        Session = new Session(Graph, new ReferenceCompiler());
        Saver = new Saver(Session);
        Saver.Track("position", () => Filled(DType.I64, Position, 3), value => Position = value.As<long>()[0]);
    }

    public Graph Graph { get; }

    public Session Session { get; }

    public Saver Saver { get; }

    public long Position { get; set; }

    /// <summary>Sets everything to a step; bf16 holds steps up to 256 exactly, so it gets a remainder.</summary>
    public void Set(long step)
    {
        Session.Assign([.. _variables.Select(v => (v, Filled(v.Type.DType, ValueIn(v, step), v.Type.Shape.ToStatic())))]);
        Position = step;
    }

    /// <summary>The step that everything is of; null when it is not of one step.</summary>
    public long? Step()
    {
        long step = (long)Session.ValueOf(_variables[^1])[0].AsDouble;
        bool whole = Position == step && Session.ValuesOf(_variables).Zip(_variables).All(
            v => v.First.ToDoubles().All(x => x == ValueIn(v.Second, step)));
        return whole ? step : null;
    }

    public void Dispose() => Session.Dispose();

    private static long ValueIn(Variable variable, long step) => variable.Type.DType == DType.BF16 ? step % 256 : step;

    private static Literal Filled(DType type, long value, params long[] shape) =>
        Literal.Splat(new TensorType(type, Shape.Of(shape)), Scalar.FromNumber(type, value));
}
