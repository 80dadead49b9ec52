namespace Graphene.Codegen.Llvm;

/// <content>Vectors made of lanes, and lanes of vectors.</content>
internal abstract partial class LlvmBodyPrinter
{
    /// <summary>A scalar in every lane.</summary>
    protected LlvmValue Broadcast(LlvmValue value, int lanes)
    {
        if (lanes == value.Type.Lanes)
        {
            return value;
        }
        KType type = value.Type with { Lanes = lanes };
        string vector = LlvmTypes.Register(type);
        LlvmValue first = Out.Add(type, $"insertelement {vector} poison, {value}, i64 0");
        return Out.Add(type, $"shufflevector {first}, {vector} poison, <{lanes} x i32> zeroinitializer");
    }

    private LlvmValue Ramp(KRamp ramp)
    {
        LlvmValue start = Broadcast(_known[ramp.Base], ramp.Lanes);
        if (ramp.Lanes == 1)
        {
            return start;
        }
        IEnumerable<long> numbers = Enumerable.Range(0, ramp.Lanes).Select(i => (long)i);
        if (ramp.Stride is KConstant stride)
        {
            long step = (long)stride.Value.AsInteger;
            string offsets = LlvmTypes.List("i64", numbers.Select(i => unchecked(i * step)));
            return Out.Add(ramp.Type, $"add {start}, {offsets}");
        }
        LlvmValue steps = Broadcast(_known[ramp.Stride], ramp.Lanes);
        LlvmValue distance = Out.Add(ramp.Type, $"mul {steps}, {LlvmTypes.List("i64", numbers)}");
        return Out.Add(ramp.Type, $"add {start}, {distance.Name}");
    }

    private LlvmValue Shuffle(LlvmValue value, ValueList<int> lanes)
    {
        if (lanes.Count == 1)
        {
            return Extract(value, lanes[0]);
        }
        KType type = value.Type with { Lanes = lanes.Count };
        if (value.Type.IsScalar)
        {
            return Broadcast(value, lanes.Count);
        }
        if (AsRepeatedWord(value, lanes) is { } repeated)
        {
            return repeated;
        }
        string order = LlvmTypes.List("i32", lanes.Select(l => (long)l));
        string vector = LlvmTypes.Register(value.Type);
        return Out.Add(type, $"shufflevector {value}, {vector} poison, <{lanes.Count} x i32> {order}");
    }

    // All lanes of a vector of 32 bits, over and over, are one i32 in every lane: one instruction, which can read memory, too.
    private LlvmValue? AsRepeatedWord(LlvmValue value, ValueList<int> lanes)
    {
        int period = value.Type.Lanes;
        bool repeats = value.Type.Element is not DType.Bool && period * value.Type.Element.SizeInBits() == 32
            && lanes.Count > period && lanes.Count % period == 0
            && lanes.Select((lane, i) => lane == i % period).All(same => same);
        if (!repeats)
        {
            return null;
        }
        LlvmValue word = Out.Add(new KType(DType.I32), $"bitcast {value} to i32");
        LlvmValue all = Broadcast(word, lanes.Count / period);
        KType type = value.Type with { Lanes = lanes.Count };
        return Out.Add(type, $"bitcast {all} to {LlvmTypes.Register(type)}");
    }

    private LlvmValue ShuffleTwo(LlvmValue low, LlvmValue high, ValueList<int> lanes)
    {
        string order = LlvmTypes.List("i32", lanes.Select(l => (long)l));
        return Out.Add(low.Type with { Lanes = lanes.Count }, $"shufflevector {low}, {high}, <{lanes.Count} x i32> {order}");
    }

    private LlvmValue Join(LlvmValue low, LlvmValue high)
    {
        int half = low.Type.Lanes;
        KType type = low.Type with { Lanes = 2 * half };
        if (half == 1)
        {
            string vector = LlvmTypes.Register(type);
            LlvmValue first = Out.Add(type, $"insertelement {vector} poison, {low}, i64 0");
            return Insert(first, high, 1);
        }
        string order = LlvmTypes.List("i32", Enumerable.Range(0, 2 * half).Select(i => (long)i));
        return Out.Add(type, $"shufflevector {low}, {high}, <{2 * half} x i32> {order}");
    }

    // What an instruction for so many lanes makes of values with more, in halves of halves.
    private LlvmValue InParts(int lanes, Func<LlvmValue[], LlvmValue> instruction, params LlvmValue[] values)
    {
        int half = values[0].Type.Lanes / 2;
        return 2 * half <= lanes
            ? instruction(values)
            : Join(InParts(lanes, instruction, Half(0)), InParts(lanes, instruction, Half(half)));

        LlvmValue[] Half(int first) => Array.ConvertAll(values, v => Shuffle(v, Enumerable.Range(first, half).ToValueList()));
    }

    /// <summary>One lane.</summary>
    protected LlvmValue Extract(LlvmValue value, int lane) => value.Type.IsScalar
        ? value
        : Out.Add(value.Type with { Lanes = 1 }, $"extractelement {value}, i64 {lane}");

    /// <summary>A vector with another value in one lane.</summary>
    protected LlvmValue Insert(LlvmValue vector, LlvmValue value, int lane) => vector.Type.IsScalar
        ? value
        : Out.Add(vector.Type, $"insertelement {vector}, {value}, i64 {lane}");
}
