using Graphene.Interop.Onnx.Importing;

namespace Graphene.Interop.Onnx.Operators;

/// <summary>Operators that change the element type, or nothing.</summary>
internal static class Conversions
{
    public static IReadOnlyList<OperatorRow> Rows { get; } =
    [
        new("", "Cast", 6, c => Cast(c, (OnnxDataType)c.Int("to"))),
        new("", "Cast", 1, CastByName),
        new("", "CastLike", 15, c => Cast(c, c.Value(1).Type)),
        new("", "BitCast", 26, BitCast),
        new("", "Identity", 1, c => c.Output(0, c.Value(0))),
        new("", "Dropout", 1, Dropout),
        new("", "Dropout", 12, Dropout12),
    ];

    private static void Cast(OperatorCall c, OnnxDataType to)
    {
        if (OnnxTypes.TryStorage(to) is null)
        {
            throw c.Unsupported($"{c.Proto.OpType} converts to {Reading.ElementFormat.NameOf((int)to)}", "Graphene has no such type");
        }
        OnnxValue x = c.Value(0);
        bool saturate = c.Int("saturate", 1) != 0;
        c.Output(0, SmallTypes.Convert(c.B, c.Input(0), x.Type, to, saturate, c.Text("round_mode", "up")), to);
    }

    // Before version 6 the type was a word.
    private static void CastByName(OperatorCall c)
    {
        string name = c.Text("to", "");
        Cast(c, Enum.TryParse(name, ignoreCase: true, out OnnxDataType type) ? type : throw c.Bad(
            $"Cast converts to '{name}'", "it must be the name of an element type"));
    }

    private static void BitCast(OperatorCall c)
    {
        var to = (OnnxDataType)c.Int("to");
        DType storage = OnnxTypes.Storage(to, c.Where);
        c.Output(0, c.B.BitcastConvert(c.Input(0), storage), to);
    }

    // Outside of training, dropout changes nothing; the mask says that everything was kept.
    private static void Dropout(OperatorCall c)
    {
        c.Output(0, c.Value(0));
        if (c.Wants(1))
        {
            OnnxDataType type = c.Version < 10 ? c.Value(0).Type : OnnxDataType.Bool;
            c.Output(1, c.B.Splat(OnnxTypes.Storage(type, c.Where), c.Value(0).Shape, 1), type);
        }
    }

    private static void Dropout12(OperatorCall c)
    {
        bool training = c.Has(2) && c.Known(2, "training_mode")[0].AsBool;
        double ratio = c.Has(1) && training ? c.Known(1, "ratio")[0].AsDouble : 0.5;
        if (training && ratio != 0)
        {
            RandomNumbers.Dropout(c, ratio);
            return;
        }
        Dropout(c);
    }
}
