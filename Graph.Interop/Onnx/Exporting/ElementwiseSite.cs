using Graphene.Interop.Onnx.Schema;

namespace Graphene.Interop.Onnx.Exporting;

/// <summary>Where an elementwise function is written: operands are tensors that repeat to each other.</summary>
/// <param name="Graph">Where operators are added.</param>
/// <param name="Type">The operands' element type.</param>
internal readonly record struct ElementwiseSite(GraphWriter Graph, DType Type)
{
    /// <summary>True for truth values, for which ONNX has operators of their own.</summary>
    public bool IsBool => Type == DType.Bool;

    /// <summary>Adds an operator.</summary>
    public string Apply(string op, params string[] x) => Graph.Add(op, x);

    /// <summary>Adds an operator with an attribute.</summary>
    public string Apply(string op, AttributeProto attribute, params string[] x) => Graph.Add(op, x, attribute);

    /// <summary>A number of the operands' type.</summary>
    public string Number(double value) => Graph.Number(Type, value);

    /// <summary>A tensor in another element type, by value.</summary>
    public string Cast(string x, DType type) => Graph.Add("Cast", [x], Attributes.Type("to", type));

    /// <summary>Computes in f32 what is f16 or bf16, and rounds the result.</summary>
    public string Wide(string[] x, Func<ElementwiseSite, string[], string> compute)
    {
        if (Type is not (DType.F16 or DType.BF16))
        {
            return compute(this, x);
        }
        ElementwiseSite narrow = this;
        var wide = new ElementwiseSite(Graph, DType.F32);
        return narrow.Cast(compute(wide, [.. x.Select(name => narrow.Cast(name, DType.F32))]), Type);
    }
}
